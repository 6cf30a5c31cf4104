"""Tickets that move in from another desk: its export as a file, which column means what, and what a record holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.desk.domain.ticket import Channel, MessageKind, Priority, Status

Source = Literal["zendesk", "chatwoot", "plain"]
Form = Literal["csv", "json"]
Field = Literal[
    "external_id",
    "subject",
    "body",
    "thread",
    "customer_name",
    "customer_email",
    "status",
    "priority",
    "tags",
    "queue",
    "channel",
    "created_at",
    "solved_at",
]
Mapped = Mapping[str, str]
"""Field → the column that it is read from; a field without a column is left out."""


@dataclass(frozen=True, kw_only=True)
class MovedMessage:
    """One message of a thread, raw; `at` in milliseconds UTC where it is known."""

    kind: MessageKind
    author_name: str
    body: str
    at: int | None = None
    is_html: bool = False


@dataclass(frozen=True, kw_only=True)
class MovedTicket:
    """A record as the desk takes it: `external_id` makes it known when it comes a second time."""

    external_id: str
    subject: str
    messages: tuple[MovedMessage, ...]
    customer_name: str
    customer_email: str | None
    status: Status
    priority: Priority | None
    tags: tuple[str, ...]
    queue: str
    channel: Channel
    created_at: int | None
    solved_at: int | None


@dataclass(frozen=True, kw_only=True)
class TicketFile:
    """An export that was handed in; its bytes are kept until it is imported, a week at the most.

    `sample` holds its first records, long values cut.
    """

    id: int
    name: str
    form: Form
    source: Source
    sha256: str | None
    mapping: Mapped = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    sample: tuple[Mapping[str, str], ...] = ()
    n_records: int = 0
    queue_id: int | None = None
    user_id: int | None = None
    created_at: int = 0
    check_job_id: int | None = None
    import_job_id: int | None = None
