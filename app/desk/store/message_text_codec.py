"""What the model reads of a message is nearly always what is shown, or its beginning under a first line."""

from __future__ import annotations

Parts = tuple[str | None, int | None]
"""What stands before the body, and how many of its characters follow; None: nothing, and all of them."""


def parts(body: str, text: str) -> Parts:
    """A cleaned text by its body; one that is no part of it is kept whole."""
    if text == body:
        return None, None
    for start in {0, text.find("\n") + 1}:
        rest = text[start:]
        # SQLite counts the characters of a text with a zero in it otherwise.
        if body.startswith(rest) and "\0" not in body:
            return text[:start] or None, None if rest == body else len(rest)
    return text, 0
