"""The text of a message: as it is shown, and as the model reads it, without what a mail client adds to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.core.text.markup import text_of

_BLANKS = re.compile(r"[ \t\xa0\u2000-\u200a\u3000]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_LONGEST_READ = 200_000
_JOINERS = re.compile(r"(?:^|(?<=\s))[\u200c\u200d]+|[\u200c\u200d]+(?=\s|$)")  # padding of newsletters' previews

# The quoted conversation, the signature, the closing formula.
_WROTE = r"(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|napisał\(a\)|skrev|написал\(а\)|写道)"
_ON = r"(?:on|am|le|el|il|op|em|dne|w dniu|den|在|vào)"
_ATTRIBUTION_START = re.compile(rf"{_ON}[ \xa0,]", re.I)
_ATTRIBUTION_END = re.compile(rf"{_WROTE}.{{0,80}}[:：]$", re.I)
_DATED = re.compile(r"\d{4}|\d:\d\d|@|年")
_FORWARDED = re.compile(
    r"(?:-{2,} ?)?(?:begin )?(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|转发的邮件)\b ?:?(?: ?-{2,})?$",
    re.I,
)
_ORIGINAL = re.compile(
    r"[-_=*>\s]{2,20}(?:original message|original appointment|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|original email"
    r"|原始邮件|原始信息)[-_=*<\s]{2,20}$",
    re.I,
)
_REPLY_ABOVE = re.compile(r"\W{0,8}(?:please )?(?:type your )?reply above this line", re.I)
_HEADER_FROM = re.compile(r"\*?(?:from|von|de|da|van|发件人|od) ?\*?[:：]\*? ?\S", re.I)
_HEADER_OTHER = re.compile(
    r"\*?(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto|inviato|a|oggetto"
    r"|verzonden|aan|onderwerp|发送时间|日期|收件人|主题|抄送) ?\*?[:：]",
    re.I,
)
_RULE = re.compile(r"[_=-]{10,}$")
_DEVICE = re.compile(
    r"(?:sent from (?:my |a |the )?(?:[\w+'-]+ ){0,4}?(?:iphone|ipad|ipod|android|galaxy\S*|samsung\S*|huawei\S*"
    r"|pixel\S*|xiaomi|oneplus|nokia|blackberry|phone|smartphone|mobile|device|tablet|windows|yahoo|outlook|gmail"
    r"|proton|mail)"
    r"(?: (?:using|with|for|on|via|mail|app|phone|device|mobile|smartphone|\d).{0,40})?[.!]?"
    r"|get outlook for \w+.{0,60}"
    r"|sent (?:with|via|using) (?:proton|yahoo|outlook|mailbird|spark|superhuman|airmail).{0,60}"
    r"|envoyé de(?:puis)? mon .{1,40}"
    r"|von meinem .{1,40} gesendet|enviado desde mi .{1,40}|inviato da(?:l mio)? .{1,40}|verzonden vanaf .{1,40}"
    r"|发自我的.{1,20})$",
    re.I,
)
_CLOSING = re.compile(
    r"(?:(?:kind|best|warm|warmest|kindest|many|with (?:kind|best))? ?regards|best(?: wishes)?|sincerely(?: yours)?"
    r"|yours sincerely|yours faithfully|yours truly|respectfully|cheers|mit freundlichen grüßen"
    r"|cordialement|saludos)[,.!]?$",
    re.I,
)
_POSTSCRIPT = re.compile(r"p\.? ?s\b", re.I)
_LETTER = re.compile(r"[^\W_]")
_LONGEST_LINE = 400  # no attribution, header or formula is longer; longer lines are never matched against a pattern
_SIGNATURE_LINES, _CLOSING_LINES, _CLOSING_WIDTH = 15, 6, 60


_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNWANTED = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u034f\u00ad\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Return a text without control, invisible and direction-changing characters; line ends become `\\n`."""
    if text.isascii() and text.isprintable():
        return text  # the usual case
    text = _NEWLINE.sub("\n", text)
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))


def one_line(text: str, *, limit: int) -> str:
    """Return a text on one line of at most `limit` characters, with an ellipsis where it is cut."""
    line = _SPACE.sub(" ", tidy(text)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shown(body: str, *, is_html: bool = False) -> str:
    """`body` as plain text for people: quotes and signature kept, tags, scripts and invisible characters gone."""
    return _EMPTY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in _plain(body, is_html=is_html))).strip()


def clean(body: str, *, is_html: bool = False) -> str:
    """Return the customer's own words, without quoted replies and signatures; a text is never emptied by it.

    Of the plain text the first 200,000 characters are read; a model's window holds a small part of that.
    """
    whole = "\n".join(_plain(body, is_html=is_html))[:_LONGEST_READ]
    said = _without_quotes(whole)
    for candidate in (_without_signature(said), said, _unquoted(whole)):
        if _is_said(candidate):
            return _closed_up(candidate)
    return _closed_up(whole)


def _plain(body: str, *, is_html: bool) -> list[str]:
    text = tidy(body)
    text = tidy(text_of(text)) if is_html else text
    return _JOINERS.sub("", text).split("\n")


def _unquoted(text: str) -> str:
    return "\n".join(line.lstrip("> ") for line in text.split("\n"))


def _closed_up(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_quotes(text: str) -> str:
    """`text` without the conversation quoted in it; replies between quoted lines are kept."""
    lines = text.split("\n")
    kept: list[str] = []
    at, forwarded_at = 0, -10
    while at < len(lines):
        line = _bare(lines[at])
        if _FORWARDED.match(line):
            forwarded_at = at
        if _begins_quoted_rest(lines, at=at) and at - forwarded_at > 3:
            break
        n_lines = _attribution_lines(lines, at=at)
        if n_lines and not _is_quoted(_next_filled(lines, at=at + n_lines)):
            break
        if not n_lines and not _is_quoted(lines[at]):
            kept.append(lines[at])
        at += n_lines or 1
    return "\n".join(kept)


def _without_signature(text: str) -> str:
    """`text` without what follows a `-- ` line, without `Sent from my …`, and without a closing formula and name."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if at and line.rstrip() == "--" and (line == "-- " or _is_short(lines, after=at)):
            lines = lines[:at]
            break
    lines = [line for line in lines if not _DEVICE.match(_bare(line))]
    closing = _closing_at(lines)
    return "\n".join(lines if closing is None else lines[:closing])


def _is_said(text: str) -> bool:
    """Return True for a text with at least one letter or digit."""
    return _LETTER.search(text) is not None


def _bare(line: str) -> str:
    return "" if len(line) > _LONGEST_LINE else line.strip()


def _is_quoted(line: str) -> bool:
    return line.lstrip(" ").startswith(">")


def _next_filled(lines: Sequence[str], *, at: int) -> str:
    return next((line for line in lines[at : at + 4] if line.strip()), "")


def _begins_quoted_rest(lines: Sequence[str], *, at: int) -> bool:
    line = _bare(lines[at])
    if not line:
        return False
    if _ORIGINAL.match(line) or _REPLY_ABOVE.match(line):
        return True
    if _RULE.match(line):
        return _is_header_block(lines, at=at + 1)
    return _is_header_block(lines, at=at)


def _is_header_block(lines: Sequence[str], *, at: int) -> bool:
    """`From:` and at least two other mail headers within the next lines."""
    if at >= len(lines) or not _HEADER_FROM.match(_bare(lines[at])):
        return False
    return sum(_HEADER_OTHER.match(_bare(line)) is not None for line in lines[at + 1 : at + 8]) >= 2


def _attribution_lines(lines: Sequence[str], *, at: int) -> int:
    """Return the number of lines (0–3) of an attribution like `On 3 May 2024, Ann <ann@x.org> wrote:` at `at`."""
    joined = ""
    for n_lines, line in enumerate(lines[at : at + 3], start=1):
        bare = _bare(line)
        if not bare or _is_quoted(line):
            return 0
        joined = f"{joined} {bare}".strip()
        if len(joined) > _LONGEST_LINE:
            return 0
        has_start = _ATTRIBUTION_START.match(joined) is not None
        if joined[-1] in ":：" and _ATTRIBUTION_END.search(joined) and _DATED.search(joined):
            return n_lines if has_start or "<" in joined or "写道" in joined else 0
        if not has_start:
            return 0
    return 0


def _is_short(lines: Sequence[str], *, after: int) -> bool:
    if len(lines) - after > 3 * _SIGNATURE_LINES:
        return False
    return sum(bool(line.strip()) for line in lines[after + 1 :]) <= _SIGNATURE_LINES


def _closing_at(lines: Sequence[str]) -> int | None:
    """Return the line of a closing formula that only a few short lines follow."""
    n_after = 0
    for at in range(len(lines) - 1, 0, -1):
        line = lines[at].strip()
        if _CLOSING.match(_bare(line)):
            return at
        n_after += bool(line)
        if n_after > _CLOSING_LINES or len(line) > _CLOSING_WIDTH or line.endswith("?") or _POSTSCRIPT.match(line):
            return None
    return None
