"""Full-text queries: a person's search as an FTS5 expression, and the snippet around its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")

Pieces = tuple[tuple[str, bool], ...]


def terms(query: str) -> list[str]:
    """Return the words of a query, at most 20, in lower case."""
    return [word.casefold() for word in _WORD.findall(query)[:20]]


def words(query: str, *, is_begun: bool = True) -> str:
    """Return the FTS5 expression that needs every word of the query; empty without words.

    With `is_begun` the last word may be the beginning of a longer one.
    """
    found = " ".join('"' + word + '"' for word in terms(query))
    return found + "*" if found and is_begun else found


def any_word(text: str, *, most: int = 40) -> str:
    """An FTS5 expression that any of the text's words meets, for questions; empty without words."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(text) if len(word) > 2)
    return " OR ".join('"' + word + '"' for word in list(found)[:most])


def snippet(text: str, *, words: Sequence[str], around: int = 60) -> Pieces:
    """Return the part of a text around the words, as pieces of plain text with True for a hit; () without a hit.

    The last word counts as the beginning of one, as it does in the search.
    """
    if not words:
        return ()
    pattern = re.compile(
        r"\b(?:" + "|".join([*map(re.escape, words[:-1]), re.escape(words[-1]) + r"\w*"]) + r")\b", re.I
    )
    line = " ".join(text.split())
    first = pattern.search(line)
    if first is None:
        return ()
    start, end = max(first.start() - around, 0), first.end() + 2 * around
    shown = ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
    return _pieces(shown, pattern=pattern)


def _pieces(text: str, *, pattern: re.Pattern[str]) -> Pieces:
    pieces: list[tuple[str, bool]] = []
    last = 0
    for hit in pattern.finditer(text):
        pieces += [(text[last : hit.start()], False), (hit[0], True)]
        last = hit.end()
    return tuple(piece for piece in [*pieces, (text[last:], False)] if piece[0])
