"""The parts of a MIME message: which is the text, and which are files."""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from email.message import Message

from app.ingest.characters import decoded
from app.ingest.markup import text_of

_MAX_PARTS, _MAX_FILES = 500, 50
_POINTLESS = 40  # a plain part this much shorter than the HTML one only says "see the HTML version"


def parts_of(mail: Message) -> tuple[Message, ...]:
    """The leaves in order, at most 500; attached mails count as one leaf each."""
    leaves: list[Message] = []
    waiting = [mail]
    while waiting and len(leaves) < _MAX_PARTS:
        part = waiting.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += reversed([child for child in payload if isinstance(child, Message)])
        else:
            leaves.append(part)
    return tuple(leaves)


def body_of(parts: Sequence[Message]) -> tuple[str, bool]:
    """The text of the mail and whether it is HTML: the plain parts, unless only the HTML ones say something."""
    texts = [part for part in parts if not _is_file(part)]
    plain = "\n\n".join(_text(part) for part in texts if part.get_content_subtype() != "html").strip()
    markup = "\n".join(_text(part) for part in texts if part.get_content_subtype() == "html").strip()
    if not plain or (markup and len(plain) < _POINTLESS and len(text_of(markup)) > 3 * len(plain)):
        return (markup, True) if markup else (plain, False)
    return plain, False


def received_files(parts: Sequence[Message], *, cap: int) -> Iterator[tuple[Message, bytes | None]]:
    """The attached files, at most 50, each with its content, or None where that is over `cap` bytes."""
    files = [part for part in parts if _is_file(part)]
    for part in files[:_MAX_FILES]:
        content = _content(part, cap=cap)
        yield part, content if content is None or len(content) <= cap else None


def _is_file(part: Message) -> bool:
    if part.get_content_maintype() == "multipart":
        return False  # broken: it names no boundary or has none, so that its text stands there undivided
    if part.get_content_type() not in ("text/plain", "text/html", "text/enriched", "text/richtext"):
        return True
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or part.get_param("filename", header="content-disposition") is not None


def _text(part: Message) -> str:
    raw = _content(part, cap=None) or b""
    try:
        charset = part.get_content_charset()
    except (ValueError, LookupError, TypeError):
        charset = None
    return decoded(raw, charset=charset)


def _content(part: Message, *, cap: int | None) -> bytes | None:
    """The decoded bytes; None when they are surely over `cap`, which is told before anything is decoded."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return _whole(payload[0]) if payload and isinstance(payload[0], Message) else b""
    if cap is not None and len(payload) > 4 * cap + 1000:
        return None
    try:
        content = part.get_payload(decode=True)
    except (binascii.Error, ValueError, LookupError, AssertionError):
        content = None
    return content if isinstance(content, bytes) else str(payload).encode("utf-8", errors="surrogateescape")


def _whole(mail: Message) -> bytes:
    try:
        return mail.as_bytes()
    except (ValueError, LookupError, TypeError, RecursionError, AttributeError):
        return b""
