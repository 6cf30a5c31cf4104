"""Mail as files: RFC 5322 messages in every encoding, broken ones included, become ticket drafts.

Only what makes it certain that the bytes are no mail is an error; everything else is read as well as it can be.
"""

from __future__ import annotations

import hashlib
import re
from email.message import Message
from email.parser import BytesParser
from functools import partial
from typing import Any

from app.core.errors import InputError, TooLarge
from app.core.text.cleaning import one_line, tidy
from app.core.text.times import moment
from app.desk.domain.ticket import AttachmentDraft, TicketDraft
from app.desk.sources.bounces import bounce_of
from app.desk.sources.mail_headers import LONGEST_NAME, BoundedHeaders, first_address, header, header_text, tolerant
from app.desk.sources.mail_parts import MAX_BODY, body_of, parts_of, received_files

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
_MAX_SUBJECT, _MAX_REFERENCES, MAX_RECIPIENTS = 500, 100, 100
_MAX_LINES, _DEEPEST = 1_500_000, 30


def from_eml(raw: bytes, *, max_attachment_bytes: int) -> TicketDraft:
    """Read one mail; attachments over `max_attachment_bytes` keep their name only (`is_left_out`).

    A mail without a Message-ID gets an `external_id` made from its content, so that the same file sent twice is one
    message. Raises InputError `not_a_mail`, `empty_mail`, `too_many_recipients` for more than 100, or
    `too_many_lines` for more than a file of 100 MB has.
    """
    mail = _parsed(raw)
    _check_recipients(mail)
    parts = parts_of(mail)
    subject = one_line(header(mail, "subject"), limit=_MAX_SUBJECT)
    body, is_html = body_of(parts)
    body = tidy(body)[:MAX_BODY].strip()
    attachments = _attachments(parts, cap=max_attachment_bytes)
    if not (subject or body or attachments):
        raise InputError("empty_mail")
    name, address = _customer(mail)
    message_id = _first_id(header(mail, "message-id"))
    return TicketDraft(
        subject=subject,
        body=body,
        channel="email",
        customer_name=name,
        customer_email=address,
        external_id=None if message_id else "eml:" + hashlib.sha256(raw).hexdigest()[:32],
        message_id=message_id,
        in_reply_to=_first_id(header(mail, "in-reply-to")),
        references=tuple(_ID.findall(header(mail, "references"))[-_MAX_REFERENCES:]),
        is_html=is_html,
        is_automatic=_is_automatic(mail, subject=subject, address=address),
        occurred_at=_sent_at(mail),
        attachments=attachments,
        bounce=tolerant(partial(bounce_of, mail), None),
    )


def _check_recipients(mail: Message) -> None:
    """A mail to hundreds is a circular, and answering it would reach nobody in particular."""
    n = sum(str(value).count("@") for name in ("to", "cc", "bcc") for value in mail.get_all(name, ()))
    if n > MAX_RECIPIENTS:
        raise TooLarge("too_many_recipients", size=n, limit=MAX_RECIPIENTS)


class _Part(Message):
    """A part of a mail that knows how deep it stands; the parser's time grows with the depth of every line."""

    depth = 0

    def attach(self, payload: Any) -> None:
        """Take a part in; raises ValueError where it stands deeper than mail programs nest."""
        payload.depth = self.depth + 1
        if payload.depth > _DEEPEST:
            raise ValueError(payload.depth)
        super().attach(payload)


def _parsed(raw: bytes) -> Message:
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t ")
    n_lines = start.count(b"\n")
    if n_lines > _MAX_LINES:
        raise TooLarge("too_many_lines", size=n_lines, limit=_MAX_LINES)
    parser = BytesParser(_Part, policy=BoundedHeaders())
    mail = tolerant(partial(parser.parsebytes, start), None)
    if mail is None:
        # Where the parts cannot be told apart, the headers can, and everything below them is the text.
        mail = tolerant(partial(parser.parsebytes, start, headersonly=True), None)
    if mail is None or not any(name in mail for name in _MAIL_HEADERS):
        raise InputError("not_a_mail")
    return mail


def _first_id(text: str) -> str | None:
    found = _ID.search(text)
    if found:
        return found.group(1)
    bare = text.strip().strip("<>").split(" ")[0][:990]
    return bare or None


def _customer(mail: Message) -> tuple[str, str | None]:
    """Name and address of who writes; Reply-To speaks for senders that cannot be answered (contact forms)."""
    sender = first_address(mail, "from") or first_address(mail, "sender")
    answer_to = first_address(mail, "reply-to")
    if answer_to and (sender is None or _NO_REPLY.search(sender[1])):
        return answer_to
    if sender:
        return sender
    return one_line(header(mail, "from"), limit=LONGEST_NAME), None


def _is_automatic(mail: Message, *, subject: str, address: str | None) -> bool:
    """Return True for a mail that a program wrote (RFC 3834, and older headers of programs); it gets no answer."""
    submitted = header(mail, "auto-submitted").strip().lower()
    return (
        (submitted != "" and not submitted.startswith("no"))
        or header(mail, "precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or any(name in mail for name in _ROBOT_HEADERS)
        or header(mail, "return-path").strip() == "<>"
        or mail.get_content_type() == "multipart/report"
        or (address is not None and _ROBOT.match(address) is not None)
        or _AUTOMATIC_SUBJECT.match(subject) is not None
    )


def _sent_at(mail: Message) -> int | None:
    found = moment(re.sub(r"\([^()]{0,100}\)\s*$", "", header(mail, "date")))
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
    written = header_text(tolerant(part.get_filename, None) or "")
    # A folder in a name is the sender's, and never ours.
    name = re.split(r"[/\\]", written)[-1].strip(". ")
    return name or f"attachment-{number}.{part.get_content_subtype()}"
