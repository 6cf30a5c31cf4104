"""Tickets, their messages, customers and queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.prediction import Band
from app.desk.domain.sla_policy import Pause

Channel = Literal["email", "chat", "form", "api"]
Status = Literal["new", "open", "pending", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
Tier = Literal["standard", "plus", "business"]
MessageKind = Literal["incoming", "outgoing", "note"]
SlaName = Literal["ok", "at_risk", "breached", "paused", "met"]
Sort = Literal["risk", "newest", "oldest", "updated"]

OPEN_STATUSES: tuple[Status, ...] = ("new", "open", "pending")


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue of tickets, of one team or of all; `intent_task` names the intent task in force here."""

    id: int
    slug: str
    title: str
    intent_task: str
    team_id: int | None = None
    is_redacting: bool = True
    sla_policy_id: int | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A person who writes to the desk; their address stands here and not in the text."""

    id: int
    name: str
    email: str | None
    tier: Tier = "standard"
    erased_at: int | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class AttachmentDraft:
    """A file that came with a message; kept by its SHA-256. One over the cap has no content and `is_left_out`."""

    name: str
    media_type: str
    content: bytes
    is_left_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """The content of a returned mail: the RFC 5322 id of the letter, its status (RFC 3463), and if it is final."""

    message_id: str
    status: str
    is_final: bool


@dataclass(frozen=True, kw_only=True)
class TicketDraft:
    """An incoming message before it is stored, as raw text that is not redacted yet.

    `queue` is the slug where it arrives; `message_id`, `in_reply_to` and `references` are RFC 5322 ids.
    `mailbox_id` is where a mail was read from.
    """

    subject: str
    body: str
    channel: Channel
    customer_name: str = ""
    customer_email: str | None = None
    customer_tier: Tier = "standard"
    queue: str | None = None
    external_id: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    is_html: bool = False
    is_automatic: bool = False
    occurred_at: int | None = None
    attachments: tuple[AttachmentDraft, ...] = ()
    mailbox_id: int | None = None
    bounce: Bounce | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a thread: `body` is shown (redacted), `text` is what the model reads (cleaned).

    An outgoing message leaves the house no earlier than `not_before_at`, so that it can be called back until then. The
    model has yet to read one that is `pending_at` a time; an `is_automatic` one was written by a machine. A message
    that is not stored yet has the id 0.
    """

    id: int
    ticket_id: int
    kind: MessageKind
    author_kind: Literal["customer", "agent", "system"]
    author_name: str
    body: str
    text: str
    occurred_at: int
    received_at: int
    message_id: str | None = None
    language: str = "en"
    is_supported: bool = True
    n_redactions: int = 0
    not_before_at: int | None = None
    user_id: int | None = None
    is_automatic: bool = False
    pending_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Present:
    """Somebody who has a ticket open now, and whether they are writing."""

    user_id: int
    name: str
    is_typing: bool = False


@dataclass(frozen=True, kw_only=True)
class UrgencyPart:
    """One reason for an urgency: a code with its points (may be negative)."""

    code: str
    points: int


@dataclass(frozen=True, kw_only=True)
class Urgency:
    """Urgency 0–100 as the sum of its parts, and the priority it means."""

    points: int
    priority: Priority
    parts: tuple[UrgencyPart, ...]


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A conversation with one customer about one matter, with what is currently believed about it.

    `intent`, `sentiment` and `emotion` are label ids in force (a person's correction outranks the model);
    `intent_source` tells whose they are. `needs_person` is set when the model abstained or cannot read the language.
    `risk` is the stored sort key: higher first; `sla` is how the clock stood when it was looked at last.
    `pauses` are the times in which it stood still. The model leaves a priority alone that `is_priority_set` by a
    person. Times in milliseconds UTC. A ticket that is not stored yet has the id 0.
    """

    id: int
    subject: str
    channel: Channel
    status: Status
    priority: Priority
    queue_id: int
    customer_id: int
    created_at: int
    updated_at: int
    assignee_id: int | None = None
    external_id: str | None = None
    intent_task: str | None = None
    intent: str | None = None
    intent_probability: float | None = None
    intent_band: Band | None = None
    intent_source: Literal["model", "agent"] = "model"
    sentiment: str | None = None
    sentiment_score: float | None = None
    emotion: str | None = None
    needs_person: bool = False
    language: str = "en"
    urgency: Urgency | None = None
    tags: tuple[str, ...] = ()
    risk: int = 0
    first_response_due_at: int | None = None
    resolution_due_at: int | None = None
    first_responded_at: int | None = None
    solved_at: int | None = None
    preview: str = ""
    n_messages: int = 0
    mailbox_id: int | None = None
    sla: SlaName = "ok"
    pauses: tuple[Pause, ...] = ()
    first_risk_at: int | None = None
    resolution_risk_at: int | None = None
    refresh_at: int | None = 0
    is_priority_set: bool = False
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class TicketFilter:
    """The filter of an inbox, which its query string carries. None means any."""

    status: tuple[Status, ...] = OPEN_STATUSES
    queue_id: int | None = None
    intent: str | None = None
    sentiment: str | None = None
    priority: Priority | None = None
    band: Band | None = None
    assignee_id: int | None = None
    is_unassigned: bool = False
    needs_person: bool | None = None
    language: str | None = None
    sla: SlaName | None = None
    query: str = ""


@dataclass(frozen=True, kw_only=True)
class RouteRule:
    """Tickets of this intent go to this queue; base urgency 0–40 of the intent.

    The model moves tickets by itself only where `is_trusted`, and it is at least so sure.
    """

    id: int
    task: str
    intent: str
    queue_id: int | None
    urgency: int = 10
    is_trusted: bool = True
    least_probability: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Routing:
    """The queue that a ticket goes to and the reason; with `queue_id` None it stays where it is."""

    queue_id: int | None
    reason: str
    rule_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class SlaState:
    """The state of a ticket's nearest deadline; `left_ms` is negative after it, None where there is none."""

    name: SlaName
    left_ms: int | None = None
    deadline: Literal["first_response", "resolution"] = "first_response"
