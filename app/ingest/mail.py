"""Mail as files: RFC 5322 messages in every encoding, broken ones included, become ticket drafts.

Only what makes it certain that the bytes are no mail is an error; everything else is read as well as it can be.
"""

from __future__ import annotations

import hashlib
import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses

from app.domain.ticket import AttachmentDraft, TicketDraft
from app.errors import InputError, TooLarge
from app.ingest.bounces import bounce_of
from app.ingest.characters import decoded, one_line, tidy
from app.ingest.fields import checked_address
from app.ingest.mail_parts import body_of, parts_of, received_files
from app.ingest.times import moment

_MAIL_HEADERS = ("from", "to", "subject", "date", "message-id", "received", "sender", "reply-to", "delivered-to")
_ROBOT_HEADERS = (
    *("x-autoreply", "x-autorespond", "x-autoresponse", "x-failed-recipients"),
    *("list-id", "list-post", "list-unsubscribe"),
)
_ID = re.compile(r"<([^<>\s]{1,990})>")
_NO_REPLY = re.compile(r"(?:no|do[-_.]?not|dont)[-_.]?reply", re.I)
_ROBOT = re.compile(r"(?:mailer-daemon|postmaster|bounces?[-+_@=])", re.I)
_AUTOMATIC_SUBJECT = re.compile(
    r"(?:auto(?:matic)?[ -]?(?:reply|response)|automatische antwort|out of (?:the )?office|abwesenheitsnotiz"
    r"|réponse automatique|respuesta automática|risposta automatica|undeliver(?:able|ed)|delivery status notification"
    r"|mail delivery failed|自动回复)",
    re.I,
)
_MAX_SUBJECT, _MAX_NAME, _MAX_REFERENCES, MAX_RECIPIENTS = 500, 200, 100, 100
_MAX_BODY = 1_500_000  # characters; the rest of a longer mail is cut off


def from_eml(raw: bytes, *, max_attachment_bytes: int) -> TicketDraft:
    """Read one mail; attachments over `max_attachment_bytes` keep their name only (`is_left_out`).

    A mail without a Message-ID gets an `external_id` made from its content, so that the same file sent twice is one
    message. Raises InputError `not_a_mail`, `empty_mail`, or `too_many_recipients` for more than 100.
    """
    mail = _parsed(raw)
    _check_recipients(mail)
    parts = parts_of(mail)
    subject = one_line(_header(mail, "subject"), limit=_MAX_SUBJECT)
    body, is_html = body_of(parts)
    body = tidy(body)[:_MAX_BODY].strip()
    attachments = _attachments(parts, cap=max_attachment_bytes)
    if not (subject or body or attachments):
        raise InputError("empty_mail")
    name, address = _customer(mail)
    message_id = _first_id(_header(mail, "message-id"))
    return TicketDraft(
        subject=subject,
        body=body,
        channel="email",
        customer_name=name,
        customer_email=address,
        external_id=None if message_id else "eml:" + hashlib.sha256(raw).hexdigest()[:32],
        message_id=message_id,
        in_reply_to=_first_id(_header(mail, "in-reply-to")),
        references=tuple(_ID.findall(_header(mail, "references"))[-_MAX_REFERENCES:]),
        is_html=is_html,
        is_automatic=_is_automatic(mail, subject=subject, address=address),
        occurred_at=_sent_at(mail),
        attachments=attachments,
        bounce=bounce_of(mail),
    )


def _check_recipients(mail: Message) -> None:
    """A mail to hundreds is a circular, and answering it would reach nobody in particular."""
    n = sum(str(value).count("@") for name in ("to", "cc", "bcc") for value in mail.get_all(name, ()))
    if n > MAX_RECIPIENTS:
        raise TooLarge("too_many_recipients", size=n, limit=MAX_RECIPIENTS)


def _parsed(raw: bytes) -> Message:
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t ")
    try:
        mail = BytesParser(policy=compat32).parsebytes(start)
    except (RecursionError, ValueError, LookupError, IndexError, TypeError, AttributeError) as error:
        raise InputError("not_a_mail") from error
    if not any(name in mail for name in _MAIL_HEADERS):
        raise InputError("not_a_mail")
    return mail


def _header(mail: Message, name: str) -> str:
    """A header's text with encoded words (RFC 2047) and raw 8-bit bytes decoded; empty when absent or beyond repair."""
    value = next((str(value) for key, value in mail.raw_items() if key.lower() == name), "")
    text = re.sub(r"\r?\n[ \t]*", " ", _unescaped(value[:20_000]))
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError, LookupError):
        return tidy(text)
    return tidy("".join(_piece(piece, charset=charset) for piece, charset in pieces))


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


def _first_id(header: str) -> str | None:
    found = _ID.search(header)
    if found:
        return found.group(1)
    bare = header.strip().strip("<>").split(" ")[0][:990]
    return bare or None


def _customer(mail: Message) -> tuple[str, str | None]:
    """Name and address of who writes; Reply-To speaks for senders that cannot be answered (contact forms)."""
    sender = _first_address(mail, "from") or _first_address(mail, "sender")
    answer_to = _first_address(mail, "reply-to")
    if answer_to and (sender is None or _NO_REPLY.search(sender[1])):
        return answer_to
    if sender:
        return sender
    return one_line(_header(mail, "from"), limit=_MAX_NAME), None


def _first_address(mail: Message, header: str) -> tuple[str, str] | None:
    try:
        pairs = getaddresses([_header(mail, header)])
    except (ValueError, IndexError, TypeError):
        return None
    for name, written in pairs:
        address = checked_address(written)
        if address:
            return one_line(name.strip("\"' "), limit=_MAX_NAME), address
    return None


def _is_automatic(mail: Message, *, subject: str, address: str | None) -> bool:
    """Whether a program wrote it (RFC 3834, and what programs set that predate it); such mail gets no answer."""
    submitted = _header(mail, "auto-submitted").strip().lower()
    return (
        (submitted != "" and not submitted.startswith("no"))
        or _header(mail, "precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or any(name in mail for name in _ROBOT_HEADERS)
        or _header(mail, "return-path").strip() == "<>"
        or mail.get_content_type() == "multipart/report"
        or (address is not None and _ROBOT.match(address) is not None)
        or _AUTOMATIC_SUBJECT.match(subject) is not None
    )


def _sent_at(mail: Message) -> int | None:
    found = moment(re.sub(r"\([^()]{0,100}\)\s*$", "", _header(mail, "date")))
    return found.at if found else None


def _attachments(parts: tuple[Message, ...], *, cap: int) -> tuple[AttachmentDraft, ...]:
    return tuple(
        AttachmentDraft(
            name=one_line(_attachment_name(part, number=number), limit=200),
            media_type=part.get_content_type(),
            content=b"" if content is None else content,
            is_left_out=content is None,
        )
        for number, (part, content) in enumerate(received_files(parts, cap=cap), start=1)
    )


def _attachment_name(part: Message, *, number: int) -> str:
    try:
        written = part.get_filename()
    except (ValueError, LookupError, TypeError, IndexError):
        written = None
    holder = Message()
    holder["subject"] = written or ""
    # A folder in a name is the sender's, and never ours.
    name = re.split(r"[/\\]", _header(holder, "subject"))[-1].strip(". ")
    return name or f"attachment-{number}.{part.get_content_subtype()}"
