"""Decoding: any bytes become a text that can be stored and shown."""

from __future__ import annotations

import codecs

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Mail often names a narrower charset than it uses; these contain the characters of such mail.
_WIDER = {"ascii": "utf-8", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949"}
_SINGLE_BYTE = frozenset({"cp1252", "latin-1"})

# Text codecs of Python that are no charsets of mail, or that take quadratic time.
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7"})


def decoded(raw: bytes, *, charset: str | None = None) -> str:
    """Decode bytes by their byte-order mark, `charset`, UTF-8 or Windows-1252, in this order; it never fails."""
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw.decode(name, errors="replace").removeprefix("\ufeff")
    for name in _candidates(raw, charset=charset):
        try:
            return raw.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
    return raw.decode("latin-1")


def is_wide(raw: bytes) -> bool:
    """Return True for UTF-16 and UTF-32, recognised by their mark or their null bytes."""
    return raw.startswith(tuple(mark for mark, name in _BOMS if name != "utf-8")) or _unmarked_utf16(raw) is not None


def _candidates(raw: bytes, *, charset: str | None) -> tuple[str, ...]:
    known = _codec(charset) if charset else None
    guessed = _unmarked_utf16(raw)
    if known in _SINGLE_BYTE:
        # A single-byte charset decodes anything, so UTF-8 is tried first.
        return ("utf-8", known)
    return tuple(name for name in (known, guessed, "utf-8", "cp1252") if name)


def _codec(charset: str) -> str | None:
    try:
        name = codecs.lookup(charset.strip().strip("\"'").lower()).name
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_CHARSETS else _WIDER.get(name, name)


def _unmarked_utf16(raw: bytes) -> str | None:
    """Return the byte order of UTF-16 without a mark, where every second byte is null as in western text."""
    head = raw[:1000]
    if len(head) < 4 or b"\0" not in head:
        return None
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > 0.4 * len(head[1::2]) and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * len(head[0::2]) and odd == 0 else None
