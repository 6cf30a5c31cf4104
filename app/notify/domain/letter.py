"""Mailboxes, the letters that go out from them, and the state of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Security = Literal["tls", "starttls", "none"]
OutboxState = Literal["waiting", "sending", "sent", "failed", "bounced"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A mail server and its account; `secret` is the password in the clear, held only while it is used."""

    host: str
    port: int
    security: Security
    username: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address of the desk: mail to it arrives in a queue (IMAP), replies go out from it (SMTP).

    An empty host leaves that direction out. `secret` is sealed. `uid_validity` and `last_uid` remember what was read
    (RFC 3501 §2.3.1.1). Without `is_reading_old`, reading begins with what arrives after the first look.
    """

    id: int
    address: str
    queue_id: int
    name: str = ""
    username: str = ""
    secret: str = field(default="", repr=False)
    imap_host: str = ""
    imap_port: int = 993
    imap_security: Security = "tls"
    imap_folder: str = "INBOX"
    smtp_host: str = ""
    smtp_port: int = 465
    smtp_security: Security = "tls"
    is_reading_old: bool = False
    is_active: bool = True
    uid_validity: int | None = None
    last_uid: int = 0
    next_poll_at: int = 0
    last_polled_at: int | None = None
    last_error: str | None = None
    n_failures: int = 0
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A reply as mail: `message_id`, `in_reply_to` and `references` are RFC 5322 ids without their brackets."""

    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    subject: str
    body: str
    message_id: str
    at: int
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    """One letter that waits, was sent, or failed; the message it carries has its Message-ID for good."""

    id: int
    message_id: int
    ticket_id: int
    mailbox_id: int
    recipient: str
    state: OutboxState
    next_at: int
    n_attempts: int = 0
    last_error: str | None = None
    created_at: int = 0
    sent_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Posted:
    """The outcome of handing a letter to a mail server; `said` is its answer, `is_final` rules out a retry."""

    is_delivered: bool
    error: str | None = None
    said: str = ""
    is_final: bool = False
