"""Articles cut into passages that can be searched and quoted, and passages into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.answers.domain import Article, Passage

PASSAGE_CHARACTERS = 500
"""About 100 tokens: a passage and its heading fit the encoder's window of 128 unshortened."""

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_RULE = re.compile(r":?-+:?")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_EMPHASIS = re.compile(r"(\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9À-Þ])|[。！？]+[”’）]*|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|approx|mr|mrs|ms|dr|st|fig|incl)|\b[A-Z])\.$", re.IGNORECASE)


def plain(markdown: str) -> str:
    """One line of Markdown as the words a person reads: links by their text, no emphasis marks or quote signs."""
    text = _LINK.sub(r"\1", markdown.lstrip("> "))
    return " ".join(_EMPHASIS.sub("", text).split())


def passages(article: Article) -> tuple[Passage, ...]:
    """The article in passages of at most about 500 characters that never cross a heading.

    `heading` is the nearest heading above, or the article's title. List items and table rows keep their own line.
    """
    found: list[Passage] = []
    for heading, blocks in _sections(article):
        for text in _packed(blocks):
            found.append(Passage(article_id=article.id, ordinal=len(found), heading=heading, text=text))
    return tuple(found)


def searchable(passage: Passage) -> str:
    """The text that the search encoder reads for a passage: its heading gives the words that the text leaves out."""
    return f"{passage.heading}. {passage.text}"


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a passage; lines end a sentence, abbreviations and initials do not."""
    found: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match[0] == "." and _ABBREVIATION.search(text[start : match.end()]):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return tuple(sentence for sentence in found if sentence)


def _sections(article: Article) -> Iterator[tuple[str, list[str]]]:
    heading, blocks, is_code = article.title, list[list[str]]([[]]), False
    for line in _without_tables(article.body.splitlines()):
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code and (title := _HEADING.match(line)):
            yield heading, _joined(blocks)
            heading, blocks = plain(title[1]) or article.title, [[]]
        elif _ITEM.match(line) or not line.strip():
            blocks.append([_ITEM.sub("", line)])
        else:
            blocks[-1].append(line)
    yield heading, _joined(blocks)


def _without_tables(lines: Iterable[str]) -> Iterator[str]:
    """The lines with every table row as a list item that names its columns, so that it can be quoted alone."""
    header: list[str] = []
    for line in lines:
        if not line.lstrip().startswith("|"):
            header = []
            yield line
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not header:
            header = cells
        elif not all(_RULE.fullmatch(cell) for cell in cells):
            named = (f"{name} {cell}".strip() for name, cell in zip(header[1:], cells[1:], strict=False))
            yield f"- {cells[0]}: {'; '.join(named)}."


def _joined(blocks: list[list[str]]) -> list[str]:
    return [text for lines in blocks if (text := plain(" ".join(lines)))]


def _packed(blocks: list[str]) -> Iterator[str]:
    held = ""
    for block in blocks:
        for piece in _pieces(block):
            if held and len(held) + len(piece) >= PASSAGE_CHARACTERS:
                yield held
                held = ""
            held = f"{held}\n{piece}" if held else piece
    if held:
        yield held


def _pieces(block: str) -> Iterator[str]:
    if len(block) <= PASSAGE_CHARACTERS:
        yield block
        return
    held = ""
    for sentence in sentences(block):
        if held and len(held) + len(sentence) >= PASSAGE_CHARACTERS:
            yield held
            held = ""
        held = f"{held} {sentence}" if held else sentence
    yield held
