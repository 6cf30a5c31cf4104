"""Headers of mail, however broken: a header that the `email` package stumbles over is read as the text it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from email._policybase import Compat32
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from functools import partial
from typing import TypeVar

from app.core.text.cleaning import one_line, tidy
from app.core.text.decoding import decoded
from app.core.text.fields import checked_address

T = TypeVar("T")

LONGEST_NAME = 200
_LONGEST, _MOST_WORDS = 20_000, 300
_LONGEST_WITH_PARAMS, _MOST_PARAMS = 4000, 100
_IN_BRACKETS = re.compile(r"<([^<>\s]{3,320})>")


class BoundedHeaders(Compat32):
    """The policy for reading mail: no header is kept longer than is read in a moment.

    The `email` package takes quadratic time over the parameters of Content-Type and Content-Disposition.
    """

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """The name and the value of a header as they stand in the source."""
        name, value = super().header_source_parse(sourcelines)
        if name.lower().startswith("content-"):
            value = ";".join(value[:_LONGEST_WITH_PARAMS].split(";")[:_MOST_PARAMS])
        return name, value[:_LONGEST]


def tolerant(read: Callable[[], T], otherwise: T) -> T:
    """Return what `read` returns, or `otherwise` where it fails: broken headers make `email` fail in many ways."""
    try:
        return read()
    except MemoryError:
        raise
    except Exception:
        return otherwise


def header(mail: Message, name: str) -> str:
    """A header's text with encoded words (RFC 2047) and raw 8-bit bytes decoded; empty when absent, else as it is."""
    value = next((str(value) for key, value in mail.raw_items() if key.lower() == name), "")
    return header_text(value)


def header_text(value: str) -> str:
    """The text of a header's value; what cannot be decoded stays as it stands."""
    text = re.sub(r"\r?\n[ \t]*", " ", _unescaped(value[:_LONGEST]))
    is_encoded = 0 < text.count("=?") <= _MOST_WORDS
    return tidy(tolerant(partial(_words, text), text) if is_encoded else text)


def _words(text: str) -> str:
    return "".join(_piece(piece, charset=charset) for piece, charset in decode_header(text))


def _unescaped(value: str) -> str:
    """The parser keeps raw 8-bit header bytes as surrogates; here they become the characters they stand for."""
    if value.isascii():
        return value
    return decoded(value.encode("utf-8", errors="surrogateescape"))


def _piece(piece: bytes | str, *, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    # Outside encoded words, decode_header hands out raw-unicode-escape bytes.
    return decoded(piece, charset=charset) if charset else piece.decode("raw_unicode_escape", errors="replace")


def first_address(mail: Message, name: str) -> tuple[str, str] | None:
    """Name and address of the first mailbox in a header; None where there is none."""
    text = header(mail, name)
    pairs = tolerant(partial(getaddresses, [text]), None)
    for written_name, written in pairs or _in_brackets(text):
        address = checked_address(written)
        if address:
            return one_line(written_name.strip("\"' "), limit=LONGEST_NAME), address
    return None


def _in_brackets(text: str) -> list[tuple[str, str]]:
    """Addresses in angle brackets, for headers whose comments or quotes cannot be made out."""
    return [("", found) for found in _IN_BRACKETS.findall(text)]
