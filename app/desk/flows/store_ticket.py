"""Storing a ticket draft: it is cleaned, redacted, matched to its thread and written before any model is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.durations import HOUR_MS
from app.core.errors import InputError, NotFound
from app.core.events import event_log, history
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.core.text.cleaning import clean, shown
from app.core.text.redaction import redact
from app.desk.decide import deadlines
from app.desk.domain.ticket import Customer, Message, Queue, Ticket, TicketDraft
from app.desk.flows import keep_queues, set_deadlines
from app.desk.flows.mail import send_mail
from app.desk.store import attachments, customers, messages, outbox, queues, tickets

# The process that accepted a message has this long to read it; after that any process may.
LEASE_MS = 30_000
PREVIEW_LENGTH = 160
LONGEST_SUBJECT = 300
MOST_AN_HOUR = 20
"""Mails of one sender in an hour; more come from a robot: they join its last ticket and reopen none."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The result of storing a draft; `is_new` is false for one that was received before.

    `opener` is the customer whose draft opened a new ticket; None where it belongs to an earlier one.
    """

    ticket: Ticket
    message: Message
    is_new: bool
    is_update: bool = False
    opener: Customer | None = None

    @property
    def is_waiting(self) -> bool:
        """The message of the draft waits for the model."""
        return (self.is_new or self.is_update) and self.message.pending_at is not None


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The texts of a message as they are stored: `body` is shown, `text` is read by the model."""

    subject: str
    body: str
    text: str
    n_redactions: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A draft with its texts, which are made once, on first use."""

    draft: TicketDraft
    _made: dict[tuple[bool, bool], Texts] = field(default_factory=dict)

    def texts(self, *, is_redacting: bool, is_first: bool) -> Texts:
        """Return the texts that `texts_of` makes."""
        wanted = (is_redacting, is_first)
        if wanted not in self._made:
            self._made[wanted] = texts_of(self.draft, is_redacting=is_redacting, is_first=is_first)
        return self._made[wanted]


def store(tx: Transaction, services: Services, prepared: Prepared, *, viewer: Viewer) -> Stored:
    """Accept a draft in an open transaction: known, an update, the next message of a thread, or a new ticket."""
    draft = prepared.draft
    known = _find_known(tx, draft)
    if known is not None:
        return Stored(ticket=tickets.read(tx, known.ticket_id), message=known, is_new=False)
    earlier = _find_earlier(tx, draft, viewer=viewer)
    if earlier is not None:
        return _update(tx, earlier, prepared=prepared, viewer=viewer)
    returned = outbox.find_sent(tx, draft.bounce.message_id) if draft.bounce else None
    if draft.bounce is not None and returned is not None:
        send_mail.note_bounce(tx, returned, bounce=draft.bounce)
        return _continue(tx, returned.ticket_id, prepared=prepared, viewer=viewer)
    thread = messages.find_thread(tx, parents(draft))
    flooded = _find_flooded(tx, draft)
    if flooded is not None:
        prepared, thread = replace(prepared, draft=replace(draft, is_automatic=True)), thread or flooded
    if thread is not None:
        return _continue(tx, thread, prepared=prepared, viewer=viewer)
    return _open(tx, services, prepared=prepared, viewer=viewer)


def _find_known(db: Reads, draft: TicketDraft) -> Message | None:
    return messages.find_by_message_id(db, draft.message_id) if draft.message_id else None


def _find_earlier(db: Reads, draft: TicketDraft, *, viewer: Viewer) -> Ticket | None:
    """Return the ticket that has the external id of a draft.

    Such an id is easily guessed: one that only others know is, to everybody else, as if it had never been used.
    """
    if not draft.external_id:
        return None
    return tickets.find_by_external_id(db, draft.external_id, is_seen=partial(may_see, db, viewer=viewer))


def may_see(db: Reads, ticket: Ticket, *, viewer: Viewer) -> bool:
    """Return True for a ticket whose fields a viewer may read: it is in their sight, or they filed it themselves."""
    is_in_sight = viewer.sees_queue(ticket.queue_id)
    if is_in_sight and viewer.may("tickets:read"):
        return True
    filed = event_log.of(db, "ticket", ticket.id)
    return bool(filed) and (filed[0].actor_kind, filed[0].actor_id) == history.of(viewer)


def foreseen_queue(db: Reads, draft: TicketDraft, *, viewer: Viewer) -> Queue | None:
    """Return the queue where a draft will probably open a ticket; None where it probably opens none."""
    is_plain = not (draft.is_automatic or draft.bounce or draft.mailbox_id)
    if not is_plain or _find_known(db, draft) or messages.find_thread(db, parents(draft)):
        return None
    if _find_earlier(db, draft, viewer=viewer):
        return None
    return queues.arrival(db, slug=draft.queue, viewer=viewer)


def _find_flooded(tx: Transaction, draft: TicketDraft) -> int | None:
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


def _open(tx: Transaction, services: Services, *, prepared: Prepared, viewer: Viewer) -> Stored:
    draft, now = prepared.draft, clock.now_ms()
    queue = _arrival(tx, services, draft, viewer=viewer)
    texts = prepared.texts(is_redacting=queue.is_redacting, is_first=True)
    name, at = draft.customer_name or draft.customer_email or "", min(draft.occurred_at or now, now)
    opener = customers.ensure(tx, name=name, email=draft.customer_email, tier=draft.customer_tier)
    unread = Ticket(
        id=0,
        subject=texts.subject,
        channel=draft.channel,
        status="new",
        priority="normal",
        queue_id=queue.id,
        customer_id=opener.id,
        created_at=at,
        updated_at=at,
        external_id=draft.external_id,
        mailbox_id=draft.mailbox_id,
        intent_task=queue.intent_task,
        preview=preview(texts.text),
        n_messages=1,
    )
    due = set_deadlines.start(tx, unread, since=at)
    ticket = tickets.insert(tx, replace(due, risk=deadlines.risk(due, now=now)))
    message = _message(tx, ticket, draft=draft, texts=texts, now=now)
    after = {"queue_id": queue.id, "channel": draft.channel, "message_id": message.id}
    data = {"subject": texts.subject, "external_id": draft.external_id, "queue": queue.slug}
    history.record(
        tx, actor=history.of(viewer), verb="created", noun="ticket", noun_id=ticket.id, after=after, data=data
    )
    return Stored(ticket=ticket, message=message, is_new=True, opener=opener)


def _arrival(tx: Transaction, services: Services, draft: TicketDraft, *, viewer: Viewer) -> Queue:
    """The queue where a draft opens a ticket; an empty installation gets its first queue here.

    Raises InputError `unknown_queue` for one that is out of sight, `no_queue` where none is in sight.
    """
    found = queues.arrival(tx, slug=draft.queue, viewer=viewer)
    if found is not None:
        return found
    if draft.queue:
        raise InputError("unknown_queue", queue=draft.queue)
    first = keep_queues.first_queue(tx, services)
    if not viewer.sees_queue(first.id):
        raise InputError("no_queue")
    return first


def _message(tx: Transaction, ticket: Ticket, *, draft: TicketDraft, texts: Texts, now: int) -> Message:
    message = Message(
        id=0,
        ticket_id=ticket.id,
        kind="incoming",
        author_kind="customer",
        author_name=draft.customer_name or draft.customer_email or "",
        body=texts.body,
        text=texts.text,
        occurred_at=min(draft.occurred_at or now, now),
        received_at=now,
        message_id=draft.message_id,
        is_automatic=draft.is_automatic,
        n_redactions=texts.n_redactions,
        pending_at=None if draft.is_automatic else now + LEASE_MS,
    )
    kept = messages.insert(tx, message)
    for attachment in draft.attachments:
        attachments.insert(tx, message_id=kept.id, draft=attachment)
    return kept


def _continue(tx: Transaction, ticket_id: int, *, prepared: Prepared, viewer: Viewer) -> Stored:
    """The customer writes again: a ticket that waited for them, or was solved, is open again."""
    was, draft, now = tickets.read(tx, ticket_id), prepared.draft, clock.now_ms()
    texts = prepared.texts(is_redacting=queues.get(tx, was.queue_id).is_redacting, is_first=False)
    message = _message(tx, was, draft=draft, texts=texts, now=now)
    longer = replace(was, updated_at=message.occurred_at, preview=preview(texts.text), n_messages=was.n_messages + 1)
    wakes = was.status in ("pending", "solved", "closed") and not draft.is_automatic
    woken = replace(longer, status="open", solved_at=None) if wakes else longer
    ticket = tickets.write(tx, was, set_deadlines.follow(tx, was, woken, now=now))
    history.record(
        tx,
        actor=history.of(viewer),
        verb="reopened" if was.status in ("solved", "closed") and wakes else "message_received",
        noun="ticket",
        noun_id=ticket_id,
        before={"status": was.status} if wakes else {},
        after={"message_id": message.id, **({"status": ticket.status} if wakes else {})},
        data={"subject": was.subject},
    )
    return Stored(ticket=ticket, message=message, is_new=True)


def _update(tx: Transaction, was: Ticket, *, prepared: Prepared, viewer: Viewer) -> Stored:
    """The same external id again: the first message is rewritten if it says something else.

    What comes again under the id of an erased ticket stays out. Raises NotFound for a ticket without a message.
    """
    first = messages.first_incoming(tx, was.id)
    if first is None:
        raise NotFound(noun="message", id=0)
    if was.external_id != prepared.draft.external_id:
        return Stored(ticket=was, message=first, is_new=False)
    texts = prepared.texts(is_redacting=queues.get(tx, was.queue_id).is_redacting, is_first=True)
    if (first.body, was.subject) == (texts.body, texts.subject):
        return Stored(ticket=was, message=first, is_new=False)
    now = clock.now_ms()
    message = replace(
        first, body=texts.body, text=texts.text, n_redactions=texts.n_redactions, pending_at=now + LEASE_MS
    )
    messages.rewrite(tx, message)
    ticket = tickets.write(tx, was, replace(was, subject=texts.subject, updated_at=now, preview=preview(texts.text)))
    history.record(
        tx,
        actor=history.of(viewer),
        verb="updated",
        noun="ticket",
        noun_id=was.id,
        before={"subject": was.subject, "body": first.body},
        after={"subject": texts.subject, "body": texts.body},
    )
    return Stored(ticket=ticket, message=message, is_new=False, is_update=True)
