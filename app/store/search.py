"""Full-text queries: what a person types, as FTS5 reads it."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")


def words(query: str) -> str:
    """An FTS5 expression that needs every word of the query, the last one as a prefix; empty without words."""
    found = _WORD.findall(query)[:20]
    if not found:
        return ""
    return " ".join('"' + word + '"' for word in found) + "*"


def any_word(text: str, *, most: int = 40) -> str:
    """An FTS5 expression that any of the text's words meets, for questions; empty without words."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(text) if len(word) > 2)
    return " OR ".join('"' + word + '"' for word in list(found)[:most])
