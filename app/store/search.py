"""Full-text queries: what a person types, as FTS5 reads it."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")

# What stands around a hit in a snippet: characters of no text, so that nothing typed is taken for a mark.
OPENING, CLOSING = "\x02", "\x03"


def terms(query: str) -> list[str]:
    """The words of a query, at most 20, in small letters."""
    return [word.casefold() for word in _WORD.findall(query)[:20]]


def words(query: str) -> str:
    """An FTS5 expression that needs every word of the query, the last one as a prefix; empty without words."""
    found = terms(query)
    if not found:
        return ""
    return " ".join('"' + word + '"' for word in found) + "*"


def any_word(text: str, *, most: int = 40) -> str:
    """An FTS5 expression that any of the text's words meets, for questions; empty without words."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(text) if len(word) > 2)
    return " OR ".join('"' + word + '"' for word in list(found)[:most])


def marked(text: str) -> tuple[tuple[str, bool], ...]:
    """A snippet as pieces of plain text, each with whether it is what was looked for."""
    pieces: list[tuple[str, bool]] = []
    for part in text.split(OPENING):
        hit, closing, rest = part.partition(CLOSING)
        pieces += [(hit, True), (rest, False)] if closing else [(part, False)]
    return tuple(piece for piece in pieces if piece[0])
