"""Mail that came back: which letter a delivery status notification (RFC 3464) is about, and whether it is final."""

from __future__ import annotations

import re
from email.message import Message

from app.core.text.decoding import decoded
from app.desk.domain.ticket import Bounce
from app.desk.sources.mail_parts import children, content_of

_ID = re.compile(r"^message-id:\s*<([^<>\s]{1,990})>", re.I | re.M)
_STATUS = re.compile(r"^status:\s*([245]\.\d{1,3}\.\d{1,3})", re.I | re.M)
_ACTION = re.compile(r"^action:\s*(\w+)", re.I | re.M)
_LONGEST = 200_000
_ABOUT = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers")


def bounce_of(mail: Message) -> Bounce | None:
    """Return the content of a returned mail; None for every other mail."""
    if mail.get_content_type() != "multipart/report" or not mail.is_multipart():
        return None
    report = next((part for part in mail.walk() if part.get_content_type() == "message/delivery-status"), None)
    about = next((part for part in mail.walk() if part.get_content_type() in _ABOUT), None)
    found = _ID.search(_source(about)) if about is not None else None
    if report is None or found is None:
        return None
    told = _source(report)
    status, action = _STATUS.search(told), _ACTION.search(told)
    code = status[1] if status else ""
    is_final = code.startswith("5") or (not code and action is not None and action[1].lower() == "failed")
    return Bounce(message_id=found[1], status=code, is_final=is_final)


def _source(part: Message) -> str:
    """The part's content as text, header lines of attached mails and of report blocks included."""
    pieces = children(part)
    text = "\n".join(map(_headers, pieces)) if pieces else decoded(content_of(part))
    return re.sub(r"\r?\n[ \t]+", " ", text[:_LONGEST]).replace("\r\n", "\n")


def _headers(mail: Message) -> str:
    return "\n".join(f"{name}: {value}" for name, value in mail.raw_items())
