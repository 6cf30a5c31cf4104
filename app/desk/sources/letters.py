"""A reply as mail: headers that thread it and keep robots from answering, and nothing else than the agent's text."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from app.notify.domain.letter import Letter

LONGEST_SUBJECT = 300
MOST_REFERENCES = 20


def compose(letter: Letter) -> EmailMessage:
    """The letter as a mail; the same letter gives the same headers on every attempt, its Message-ID included.

    Line breaks in names and subjects are taken out, so that no text of a customer becomes a header.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(letter.sender, name=letter.sender_name)
    mail["To"] = _address(letter.recipient, name=letter.recipient_name)
    mail["Subject"] = _subject(letter.subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(letter.at / 1000, UTC))
    mail["Message-ID"] = f"<{letter.message_id}>"
    if letter.in_reply_to:
        mail["In-Reply-To"] = f"<{letter.in_reply_to}>"
        mail["References"] = " ".join(f"<{one}>" for one in _references(letter))
    # Asks Exchange and Outlook for no out-of-office answers; others see that a person wrote it.
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail.set_content(letter.body.rstrip() + "\n")
    return mail


def _address(address: str, *, name: str) -> Address | str:
    return Address(display_name=_line(name), addr_spec=address) if name else address


def _subject(subject: str) -> str:
    line = _line(subject)[:LONGEST_SUBJECT]
    return line if line[:3].lower() in ("re:", "aw:", "sv:") else f"Re: {line}".strip()


def _references(letter: Letter) -> tuple[str, ...]:
    known = dict.fromkeys((*letter.references, letter.in_reply_to or ""))
    return tuple(one for one in known if one)[-MOST_REFERENCES:]


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
