"""A ticket draft into the database: cleaned, redacted, threaded, and stored before any model is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.durations import HOUR_MS
from app.core.errors import InputError
from app.core.events import event_log, history
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.core.text.cleaning import clean, shown
from app.core.text.redaction import redact
from app.desk.decide import breach_risk
from app.desk.domain.ticket import Message, Queue, Ticket, TicketDraft
from app.desk.flows import keep_queues, set_deadlines
from app.desk.flows.mail import send_mail
from app.desk.store import attachments, customers, messages, outbox, queues, tickets

# A message that was accepted is first for the process that accepted it; after this long it is anyone's.
LEASE_MS = 30_000
PREVIEW_LENGTH = 160
LONGEST_SUBJECT = 300
MOST_AN_HOUR = 20
"""Mails of one sender in an hour; what goes beyond is a robot's: it joins their last ticket and wakes none."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of a draft; `is_new` is false for one that was received before, `is_opened` true for a new ticket."""

    ticket_id: int
    message_id: int
    is_new: bool
    is_update: bool = False
    is_opened: bool = False


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A message as it is stored: what is shown, what the model reads, and how much was taken out."""

    subject: str
    body: str
    text: str
    n_redactions: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A draft whose texts are made once, before a transaction needs them or in it."""

    draft: TicketDraft
    _made: dict[tuple[bool, bool], Texts] = field(default_factory=dict)

    def texts(self, *, is_redacting: bool, is_first: bool) -> Texts:
        """As `texts_of` makes them."""
        wanted = (is_redacting, is_first)
        if wanted not in self._made:
            self._made[wanted] = texts_of(self.draft, is_redacting=is_redacting, is_first=is_first)
        return self._made[wanted]


def store(tx: Transaction, services: Services, prepared: Prepared, *, viewer: Viewer) -> Stored:
    """Accept a draft in an open transaction: known, an update, the next message of a thread, or a new ticket."""
    draft = prepared.draft
    known = _known(tx, draft)
    if known is not None:
        return known
    earlier = _earlier(tx, draft, viewer=viewer)
    if earlier is not None:
        if earlier.external_id != draft.external_id:
            # It was erased: what comes again from where it came from stays out.
            first = messages.first_incoming(tx, earlier.id)
            return Stored(ticket_id=earlier.id, message_id=0 if first is None else first.id, is_new=False)
        return _updated(tx, earlier, prepared=prepared, viewer=viewer)
    returned = outbox.find_sent(tx, draft.bounce.message_id) if draft.bounce else None
    if draft.bounce is not None and returned is not None:
        send_mail.came_back(tx, returned, bounce=draft.bounce)
        return _continued(tx, returned.ticket_id, prepared=prepared, viewer=viewer)
    thread = messages.find_thread(tx, parents(draft))
    flooded = _flooded(tx, draft)
    if flooded is not None:
        prepared, thread = replace(prepared, draft=replace(draft, is_automatic=True)), thread or flooded
    if thread is not None:
        return _continued(tx, thread, prepared=prepared, viewer=viewer)
    return _opened(tx, services, prepared=prepared, viewer=viewer)


def _known(db: Reads, draft: TicketDraft) -> Stored | None:
    found = messages.find_by_message_id(db, draft.message_id) if draft.message_id else None
    return None if found is None else Stored(ticket_id=found.ticket_id, message_id=found.id, is_new=False)


def _earlier(db: Reads, draft: TicketDraft, *, viewer: Viewer) -> Ticket | None:
    """The ticket that a draft writes anew by its external id.

    Such an id is easily guessed: one that only others know is, to everybody else, as if it had never been used.
    """
    if not draft.external_id:
        return None
    return tickets.find_by_external_id(db, draft.external_id, is_seen=partial(may_see, db, viewer=viewer))


def may_see(db: Reads, ticket: Ticket, *, viewer: Viewer) -> bool:
    """Whether a viewer may read a ticket's fields: it is in their sight, or they filed it themselves."""
    is_in_sight = viewer.sees_queue(ticket.queue_id)
    if is_in_sight and viewer.may("tickets:read"):
        return True
    filed = event_log.of(db, "ticket", ticket.id)
    return bool(filed) and (filed[0].actor_kind, filed[0].actor_id) == history.of(viewer)


def foreseen_queue(db: Reads, draft: TicketDraft, *, viewer: Viewer) -> Queue | None:
    """The queue where a draft will open a ticket, as far as can be told before it is stored; else None."""
    is_plain = not (draft.is_automatic or draft.bounce or draft.mailbox_id)
    if not is_plain or _known(db, draft) or messages.find_thread(db, parents(draft)):
        return None
    if _earlier(db, draft, viewer=viewer):
        return None
    if draft.queue:
        return queues.find_by_slug(db, draft.queue)
    return min(queues.every(db, viewer=viewer), key=lambda queue: queue.id, default=None)


def _flooded(tx: Transaction, draft: TicketDraft) -> int | None:
    """The last ticket of a sender who has written more than people do; None for everybody else."""
    if draft.mailbox_id is None or draft.customer_email is None:
        return None
    sender = customers.find_by_email(tx, draft.customer_email)
    if sender is None or messages.count_from(tx, sender.id, since=clock.now_ms() - HOUR_MS) < MOST_AN_HOUR:
        return None
    last = tickets.of_customer(tx, sender.id, viewer=SYSTEM, limit=1)
    return last[0].id if last else None


def parents(draft: TicketDraft) -> list[str]:
    """The RFC 5322 ids of the messages that a draft answers, the nearest first."""
    return list(dict.fromkeys(one for one in (draft.in_reply_to, *reversed(draft.references)) if one))


def texts_of(draft: TicketDraft, *, is_redacting: bool, is_first: bool) -> Texts:
    """A draft's texts, cleaned and redacted; raises InputError `empty_message` when nothing is left."""
    body, said = shown(draft.body, is_html=draft.is_html), clean(draft.body, is_html=draft.is_html)
    subject, n = " ".join(draft.subject.split())[:LONGEST_SUBJECT], 0
    if is_redacting:
        masked = redact(body)
        body, n = masked.text, masked.n
        said, subject = redact(said).text, redact(subject).text
    # A subject is often half of what is said ("Where is my order?"), unless the body repeats it.
    text = f"{subject}\n{said}" if is_first and subject and subject.lower() not in said.lower() else said
    if not text.strip():
        raise InputError("empty_message")
    return Texts(subject=subject or preview(said), body=body, text=text, n_redactions=n)


def preview(text: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= PREVIEW_LENGTH else line[: PREVIEW_LENGTH - 1].rstrip() + "…"


def _opened(tx: Transaction, services: Services, *, prepared: Prepared, viewer: Viewer) -> Stored:
    draft = prepared.draft
    queue = keep_queues.arrival(tx, services, slug=draft.queue, viewer=viewer)
    texts = prepared.texts(is_redacting=queue.is_redacting, is_first=True)
    created_at = min(draft.occurred_at or clock.now_ms(), clock.now_ms())
    customer_id = customers.ensure(
        tx,
        name=draft.customer_name or draft.customer_email or "",
        email=draft.customer_email,
        tier=draft.customer_tier,
    )
    ticket_id = tickets.insert(
        tx,
        values={
            "subject": texts.subject,
            "channel": draft.channel,
            "status": "new",
            "priority": "normal",
            "queue_id": queue.id,
            "customer_id": customer_id,
            "created_at": created_at,
            "updated_at": created_at,
            "external_id": draft.external_id,
            "mailbox_id": draft.mailbox_id,
            "intent_task": queue.intent_task,
            "preview": preview(texts.text),
            "n_messages": 1,
            **_clock_columns(tx, queue_id=queue.id, created_at=created_at),
        },
    )
    message_id = _message(tx, ticket_id, draft=draft, texts=texts, at=created_at)
    after = {"queue_id": queue.id, "channel": draft.channel, "message_id": message_id}
    data = {"subject": texts.subject, "external_id": draft.external_id, "queue": queue.slug}
    history.record(
        tx, actor=history.of(viewer), verb="created", noun="ticket", noun_id=ticket_id, after=after, data=data
    )
    return Stored(ticket_id=ticket_id, message_id=message_id, is_new=True, is_opened=True)


def _clock_columns(tx: Transaction, *, queue_id: int, created_at: int) -> dict[str, int]:
    """The columns of a ticket that nobody has read yet: due as a normal one, and its place in the inbox."""
    found = set_deadlines.deadlines(tx, queue_id=queue_id, priority="normal", created_at=created_at)
    key = breach_risk.risk(
        urgency=0,
        first_response_due_at=found["first_response_due_at"],
        resolution_due_at=found["resolution_due_at"],
        first_responded_at=None,
        created_at=created_at,
        now=clock.now_ms(),
    )
    return {**found, "risk": key}


def _message(tx: Transaction, ticket_id: int, *, draft: TicketDraft, texts: Texts, at: int) -> int:
    now = clock.now_ms()
    message_id = messages.insert(
        tx,
        values={
            "ticket_id": ticket_id,
            "kind": "incoming",
            "author_kind": "customer",
            "author_name": draft.customer_name or draft.customer_email or "",
            "body": texts.body,
            "text": texts.text,
            "occurred_at": at,
            "received_at": now,
            "message_id": draft.message_id,
            "is_automatic": draft.is_automatic,
            "n_redactions": texts.n_redactions,
            "pending_at": None if draft.is_automatic else now + LEASE_MS,
        },
    )
    for attachment in draft.attachments:
        attachments.insert(tx, message_id=message_id, draft=attachment)
    return message_id


def _continued(tx: Transaction, ticket_id: int, *, prepared: Prepared, viewer: Viewer) -> Stored:
    """The customer writes again: a ticket that waited for them, or was solved, is open again."""
    was, draft = tickets.read(tx, ticket_id), prepared.draft
    queue = queues.get(tx, was.queue_id)
    texts = prepared.texts(is_redacting=queue.is_redacting, is_first=False)
    at = min(draft.occurred_at or clock.now_ms(), clock.now_ms())
    message_id = _message(tx, ticket_id, draft=draft, texts=texts, at=at)
    tickets.count_message(tx, ticket_id)
    wakes = was.status in ("pending", "solved", "closed") and not draft.is_automatic
    status = "open" if wakes else was.status
    changes: dict[str, Any] = {"status": status, "updated_at": at, "preview": preview(texts.text)}
    changes |= {"solved_at": None} if wakes else {}
    tickets.update(tx, ticket_id, changes=changes | set_deadlines.followed(tx, was, changes, now=clock.now_ms()))
    verb = "reopened" if was.status in ("solved", "closed") and wakes else "message_received"
    history.record(
        tx,
        actor=history.of(viewer),
        verb=verb,
        noun="ticket",
        noun_id=ticket_id,
        before={"status": was.status} if wakes else {},
        after={"message_id": message_id, **({"status": status} if wakes else {})},
        data={"subject": was.subject},
    )
    return Stored(ticket_id=ticket_id, message_id=message_id, is_new=True)


def _updated(tx: Transaction, was: Ticket, *, prepared: Prepared, viewer: Viewer) -> Stored:
    """The same external id again: the first message is rewritten if it says something else."""
    first = messages.first_incoming(tx, was.id)
    queue = queues.get(tx, was.queue_id)
    texts = prepared.texts(is_redacting=queue.is_redacting, is_first=True)
    if first is None or (first.body, was.subject) == (texts.body, texts.subject):
        return Stored(ticket_id=was.id, message_id=0 if first is None else first.id, is_new=False)
    _rewrite(tx, first, texts=texts)
    now = clock.now_ms()
    tickets.update(tx, was.id, changes={"subject": texts.subject, "updated_at": now, "preview": preview(texts.text)})
    history.record(
        tx,
        actor=history.of(viewer),
        verb="updated",
        noun="ticket",
        noun_id=was.id,
        before={"subject": was.subject, "body": first.body},
        after={"subject": texts.subject, "body": texts.body},
    )
    return Stored(ticket_id=was.id, message_id=first.id, is_new=False, is_update=True)


def _rewrite(tx: Transaction, first: Message, *, texts: Texts) -> None:
    changes = {
        "body": texts.body,
        "text": texts.text,
        "n_redactions": texts.n_redactions,
        "pending_at": clock.now_ms() + LEASE_MS,
    }
    messages.rewrite(tx, first.id, changes=changes)
