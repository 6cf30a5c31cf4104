"""HTML, broken or not, to the plain text that a reader sees, in one pass and linear time; quotes get a `>`."""

from __future__ import annotations

import html
import re

_OPENING = re.compile(r"<(?:(!--)|([!?])|(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40}))")
_TAG_REST = re.compile(r"(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+>")
_ATTRIBUTE = re.compile(r"([^\s=>\"'/]++)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s>]++))?+")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|opacity\s*:\s*0(?![.\d])")
_SIGNATURE = re.compile(r"\b(?:gmail_signature|moz-signature|yahoo_signature|protonmail_signature_block)\b", re.I)

_UNREAD = frozenset({
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "template", "svg", "math",
    "object", "audio", "video", "canvas",
})  # fmt: skip
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
})  # fmt: skip
_BLOCK = frozenset({
    "p", "div", "section", "article", "header", "footer", "table", "tr", "ul", "ol", "dl", "dt", "dd", "h1", "h2",
    "h3", "h4", "h5", "h6", "pre", "blockquote", "form", "fieldset", "address", "center", "main", "nav", "aside",
    "figure", "hr", "br", "li", "body", "html", "caption", "option",
})  # fmt: skip
_PARAGRAPH = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol", "pre"})
_MAX_QUOTE_DEPTH = 5  # deeper quotes get no further marks, so that the output stays linear in the input

_LOOKS_LIKE_HTML = re.compile(
    r"</?(?:!doctype|html|body|div|p|br|table|span|script|style|a|font|b|i|ul|strong)\b[^<>]*>", re.I
)


def is_markup(text: str) -> bool:
    """Return True for a text with HTML tags, for sources without a media type."""
    return _LOOKS_LIKE_HTML.search(text) is not None


def text_of(markup: str) -> str:
    """Return the visible text of HTML, one block per line; hidden text too where there is no other."""
    reader = _Reader(is_hiding=True)
    seen = reader.read(markup)
    if reader.has_hidden and not seen.strip("> \n-"):
        return _Reader(is_hiding=False).read(markup)
    return seen


class _Reader:
    def __init__(self, *, is_hiding: bool) -> None:
        self._is_hiding = is_hiding
        self._lines: list[str] = []
        self._line: list[str] = []
        self._n_quotes = 0
        self._n_pre = 0
        self._hidden_by = ""
        self._n_hidden = 0
        self.has_hidden = False
        self._is_broken = False
        self._unclosed: set[str] = set()

    def read(self, markup: str) -> str:
        at = 0
        while opening := _OPENING.search(markup, at):
            self._data(markup[at : opening.start()])
            at = self._element(markup, opening=opening)
        self._data(markup[at:])
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")

    def _element(self, markup: str, *, opening: re.Match[str]) -> int:
        """Read the element that begins at `opening`; returns the position after it."""
        is_comment, is_declaration, slash, name = opening.groups()
        if is_comment:
            return _after(markup, "-->", start=opening.start())
        if is_declaration:
            return _after(markup, ">", start=opening.start())
        return self._tag(markup, name=name.lower(), is_end=bool(slash), rest_at=opening.end())

    def _tag(self, markup: str, *, name: str, is_end: bool, rest_at: int) -> int:
        end = self._tag_end(markup, start=rest_at)
        if is_end:
            self._close(name)
            return end
        if name in _UNREAD:
            return self._unread_end(markup, name=name, start=end)
        self._open(name, attributes=markup[rest_at : end - 1])
        return end

    def _tag_end(self, markup: str, *, start: int) -> int:
        rest = None if self._is_broken else _TAG_REST.match(markup, start)
        # Unclosed quotes are searched once only: a search at every tag would take quadratic time.
        self._is_broken = rest is None
        return rest.end() if rest else _after(markup, ">", start=start)

    def _unread_end(self, markup: str, *, name: str, start: int) -> int:
        closing = None
        if name not in self._unclosed:
            closing = re.compile(rf"</{name}\b[^>]*+>?", re.I).search(markup, start)
        if closing is None:
            self._unclosed.add(name)
            return len(markup) if name in ("script", "style") else start
        return closing.end()

    def _open(self, name: str, *, attributes: str) -> None:
        if self._hidden_by:
            self._n_hidden += name == self._hidden_by
            return
        traits = _traits(attributes) if "=" in attributes or "hidden" in attributes.lower() else {}
        if self._is_hiding and name not in _VOID and _is_hidden(traits):
            self._hidden_by, self._n_hidden, self.has_hidden = name, 1, True
            return
        self._break(name)
        if _SIGNATURE.search(traits.get("class", "")) or traits.get("id", "").lower() == "signature":
            self._end_line()
            self._lines.append("-- ")
        self._n_quotes += name == "blockquote"
        self._n_pre += name == "pre"
        if name == "li":
            self._line.append("- ")
        elif name in ("td", "th"):
            self._line.append(" ")

    def _close(self, name: str) -> None:
        if self._hidden_by:
            self._n_hidden -= name == self._hidden_by
            if self._n_hidden == 0 or name in ("body", "html"):
                self._hidden_by = ""
            return
        self._break(name)
        self._n_quotes = max(0, self._n_quotes - (name == "blockquote"))
        self._n_pre = max(0, self._n_pre - (name == "pre"))

    def _break(self, name: str) -> None:
        if name == "br":
            self._end_line(is_forced=True)
        elif name in _BLOCK:
            self._end_line()
            if name in _PARAGRAPH and self._lines and self._lines[-1]:
                self._lines.append("")

    def _data(self, raw: str) -> None:
        if not raw or self._hidden_by:
            return
        data = html.unescape(raw) if "&" in raw else raw
        if not self._n_pre:
            self._line.append(_SPACE.sub(" ", data))
            return
        first, *others = data.split("\n")
        self._line.append(first)
        for line in others:
            self._end_line(is_forced=True)
            self._line.append(line)

    def _end_line(self, *, is_forced: bool = False) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._n_pre else _SPACE.sub(" ", text).strip()
        self._line.clear()
        if text or is_forced:
            mark = "> " * min(self._n_quotes, _MAX_QUOTE_DEPTH)
            self._lines.append((mark + text).rstrip() if mark else text)


def _after(markup: str, end: str, *, start: int) -> int:
    found = markup.find(end, start)
    return len(markup) if found < 0 else found + len(end)


def _traits(attributes: str) -> dict[str, str]:
    return {name.lower(): html.unescape((value or "").strip("\"'")) for name, value in _ATTRIBUTE.findall(attributes)}


def _is_hidden(traits: dict[str, str]) -> bool:
    return "hidden" in traits or _HIDING.search(traits.get("style", "").lower()) is not None
