"""Cleaning a message: the text that people see, and the text that the model reads."""

from __future__ import annotations

import re

from app.core.text.characters import tidy
from app.core.text.markup import text_of
from app.core.text.quoted_replies import has_words, without_quotes, without_signature

_BLANKS = re.compile(r"[ \t\xa0\u2000-\u200a\u3000]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_LONGEST_READ = 200_000
_JOINERS = re.compile(r"(?:^|(?<=\s))[\u200c\u200d]+|[\u200c\u200d]+(?=\s|$)")  # padding of newsletters' previews


def shown(body: str, *, is_html: bool = False) -> str:
    """Return a body as plain text for people: without tags, scripts and invisible characters."""
    return _EMPTY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in _plain(body, is_html=is_html))).strip()


def clean(body: str, *, is_html: bool = False) -> str:
    """Return the customer's own words, without quoted replies, signatures and spare white space; never empty.

    Only the first 200,000 characters are read, far more than the window of any model.
    """
    whole = "\n".join(_plain(body, is_html=is_html))[:_LONGEST_READ]
    own = without_quotes(whole)
    for candidate in (without_signature(own), own, _unquoted(whole)):
        if has_words(candidate):
            return _collapse_blanks(candidate)
    return _collapse_blanks(whole)


def _plain(body: str, *, is_html: bool) -> list[str]:
    text = tidy(body)
    text = tidy(text_of(text)) if is_html else text
    return _JOINERS.sub("", text).split("\n")


def _unquoted(text: str) -> str:
    return "\n".join(line.lstrip("> ") for line in text.split("\n"))


def _collapse_blanks(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
