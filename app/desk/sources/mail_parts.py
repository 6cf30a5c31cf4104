"""The parts of a MIME message: which is the text, and which are files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.message import Message
from functools import partial

from app.core.text.decoding import decoded
from app.core.text.markup import text_of
from app.desk.sources.mail_headers import tolerant

MAX_BODY = 1_500_000  # characters; the rest of a longer mail is cut off
_MAX_PARTS, _MAX_FILES = 500, 50
_POINTLESS = 40  # a plain part this much shorter than the HTML one only says "see the HTML version"


def parts_of(mail: Message) -> tuple[Message, ...]:
    """The leaves in order, at most 500; attached mails count as one leaf each."""
    leaves: list[Message] = []
    waiting = [mail]
    while waiting and len(leaves) < _MAX_PARTS:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(children(part))
        else:
            leaves.append(part)
    return tuple(leaves)


def body_of(parts: Sequence[Message]) -> tuple[str, bool]:
    """The text of the mail and whether it is HTML: the plain parts, unless only the HTML ones say something."""
    texts = [part for part in parts if not _is_file(part)]
    plain = "\n\n".join(_text(part) for part in texts if part.get_content_subtype() != "html").strip()
    markup = "\n".join(_text(part) for part in texts if part.get_content_subtype() == "html")[:MAX_BODY].strip()
    if not plain or (markup and len(plain) < _POINTLESS and len(text_of(markup)) > 3 * len(plain)):
        return (markup, True) if markup else (plain, False)
    return plain, False


def received_files(parts: Sequence[Message], *, cap: int) -> Iterator[tuple[Message, bytes | None]]:
    """The attached files, at most 50, each with its content, or None where that is over `cap` bytes."""
    files = [part for part in parts if _is_file(part)]
    for part in files[:_MAX_FILES]:
        content = content_of(part)
        yield part, content if len(content) <= cap else None


def _is_file(part: Message) -> bool:
    if part.get_content_maintype() == "multipart":
        return False  # broken: it names no boundary or has none, so that its text stands there undivided
    if part.get_content_type() not in ("text/plain", "text/html", "text/enriched", "text/richtext"):
        return True
    disposition = str(part.get("content-disposition", "")).strip().lower()
    named = tolerant(partial(part.get_param, "filename", header="content-disposition"), None)
    return disposition.startswith("attachment") or named is not None


def _text(part: Message) -> str:
    """The part's text; of a longer one so much as a message holds."""
    return decoded(content_of(part), charset=tolerant(part.get_content_charset, None))[:MAX_BODY]


def children(part: Message) -> list[Message]:
    """The parts of which a part consists: those of a multipart, or the mail that an attached mail is."""
    # Asked of a single part, the payload is decoded by a charset of the sender's choice, which takes any time.
    payload = part.get_payload() if part.is_multipart() else ()
    return [child for child in payload if isinstance(child, Message)]


def content_of(part: Message) -> bytes:
    """The decoded bytes of a part: of an attached mail its source."""
    if part.is_multipart():
        return b"".join(map(_whole, children(part)[:1]))
    content = tolerant(partial(part.get_payload, decode=True), None)
    return content if isinstance(content, bytes) else _whole(part).partition(b"\n\n")[2]


def _whole(mail: Message) -> bytes:
    return tolerant(mail.as_bytes, b"")
