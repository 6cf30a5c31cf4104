"""What of a message is shown, and what of it the model reads."""

from __future__ import annotations

import re

from app.core.text.characters import tidy
from app.core.text.markup import text_of
from app.core.text.quoted_replies import is_said, without_quotes, without_signature

_BLANKS = re.compile(r"[ \t\xa0\u2000-\u200a\u3000]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_LONGEST_READ = 200_000
_JOINERS = re.compile(r"(?:^|(?<=\s))[\u200c\u200d]+|[\u200c\u200d]+(?=\s|$)")  # padding of newsletters' previews


def shown(body: str, *, is_html: bool = False) -> str:
    """`body` as plain text for people: quotes and signature kept, tags, scripts and invisible characters gone."""
    return _EMPTY_LINES.sub("\n\n", "\n".join(line.rstrip() for line in _plain(body, is_html=is_html))).strip()


def clean(body: str, *, is_html: bool = False) -> str:
    """What the customer wrote: quoted replies, signatures and spare white space gone, never to emptiness.

    Of the plain text the first 200,000 characters are read; a model's window holds a small part of that.
    """
    whole = "\n".join(_plain(body, is_html=is_html))[:_LONGEST_READ]
    said = without_quotes(whole)
    for candidate in (without_signature(said), said, _unquoted(whole)):
        if is_said(candidate):
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
