"""The desk's main flow: a message comes in, is kept, read, prioritised, and stands in the right queue."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import BellwetherError, NotReady, Overloaded, TaskMissing
from app.core.events import event_log as events
from app.core.events.event import Event
from app.core.permissions import User, Viewer
from app.core.prediction import Correction, Reading, StoredPrediction
from app.core.services import Services
from app.desk.decide import deadlines as sla
from app.desk.domain.ticket import Customer, Message, Queue, SlaState, Ticket, TicketDraft
from app.desk.flows import store_ticket, triage_ticket
from app.desk.flows.act_on_ticket import apply_macro, edit, note, reply
from app.desk.store import attachments, customers, messages, outbox, queues, tickets
from app.desk.store.attachments import Attachment
from app.intents.store import corrections
from app.model.store import predictions
from app.notify.domain.mail import OutboxRow
from app.people.store import users

__all__ = [
    "Received",
    "TicketView",
    "apply_macro",
    "classify_pending",
    "edit",
    "note",
    "receive",
    "reply",
    "show",
    "sla_state",
]

LOG = logging.getLogger(__name__)
LONGEST_WAIT_MS = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of a draft; `is_pending` while the model has yet to read the message.

    `is_in_sight` is false for a thread of others that the message joined: who sent it may not read its ticket.
    """

    ticket: Ticket
    message: Message
    is_new: bool
    is_update: bool
    is_pending: bool
    is_in_sight: bool = True


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """All that a ticket's page shows; predictions, corrections and letters by message id, oldest first."""

    ticket: Ticket
    queue: Queue
    customer: Customer
    messages: tuple[Message, ...]
    attachments: tuple[Attachment, ...]
    predictions: Mapping[int, tuple[StoredPrediction, ...]]
    corrections: tuple[Correction, ...]
    events: tuple[Event, ...]
    assignee: User | None
    sla: SlaState
    other_tickets: tuple[Ticket, ...]
    is_pending: bool
    letters: Mapping[int, OutboxRow]


def receive(services: Services, draft: TicketDraft, *, viewer: Viewer) -> Received:
    """Accept a ticket or the next message of one, read by the model; what is accepted is never lost.

    Raises InputError for a draft that cannot be kept and DatabaseBusy when it could not be accepted. Whatever stops
    the model only leaves the message waiting for the worker.
    """
    prepared = store_ticket.Prepared(draft=draft)
    ahead = _read_ahead(services, prepared, viewer=viewer)

    def file(tx: Transaction) -> tuple[store_ticket.Stored, Received]:
        stored = store_ticket.store(tx, services, prepared, viewer=viewer)
        if ahead is not None and stored.is_opened:
            _settle_ahead(tx, services, stored, ahead=ahead)
        found = _received(tx, stored, viewer=viewer)
        if found.is_pending and (stored.is_new or stored.is_update):
            messages.hold(tx, stored.message_id)
        return stored, found

    stored, received = services.db.together(file)
    is_refused = stored.is_opened and ahead is not None and ahead.reading is None
    if received.is_pending and (stored.is_new or stored.is_update) and not is_refused:
        services.db.afterwards(lambda: _classified(services, stored.message_id))
        return _received(services.db, stored, viewer=viewer)
    return received


def _received(db: Reads, stored: store_ticket.Stored, *, viewer: Viewer) -> Received:
    ticket = tickets.read(db, stored.ticket_id)
    return Received(
        ticket=ticket,
        message=messages.get(db, stored.message_id),
        is_new=stored.is_new,
        is_update=stored.is_update,
        is_pending=messages.is_pending(db, stored.message_id),
        is_in_sight=store_ticket.may_see(db, ticket, viewer=viewer),
    )


@dataclass(frozen=True, kw_only=True)
class _Ahead:
    """What the model said of a text before it was stored, under the intent task that was in force; None: nothing."""

    text: str
    intent_task: str
    reading: Reading | None


def _read_ahead(services: Services, prepared: store_ticket.Prepared, *, viewer: Viewer) -> _Ahead | None:
    """Let the model read what will be a new ticket, so that one transaction stores it and what follows from it.

    None for everything else, which is stored first and read then.
    """
    queue = store_ticket.foreseen_queue(services.db, prepared.draft, viewer=viewer)
    if queue is None:
        return None
    text = prepared.texts(is_redacting=queue.is_redacting, is_first=True).text
    reading = None
    try:
        reading = triage_ticket.foreseen(services, text, intent_task=queue.intent_task)
    except BellwetherError as error:
        LOG.info("a ticket will wait for the model: %s", error.code)
    except Exception:
        # One text that the model stumbles over is accepted like any other.
        LOG.exception("a ticket could not be read")
    return _Ahead(text=text, intent_task=queue.intent_task, reading=reading)


def _settle_ahead(tx: Transaction, services: Services, stored: store_ticket.Stored, *, ahead: _Ahead) -> None:
    message, ticket = messages.get(tx, stored.message_id), tickets.read(tx, stored.ticket_id)
    # The queue may have changed in between: then what was read may be another text, or asked of another task.
    if (message.text, ticket.intent_task) != (ahead.text, ahead.intent_task):
        return
    if ahead.reading is None:
        messages.put_off(tx, message.id, until=clock.now_ms())
    else:
        triage_ticket.settled(tx, services, message, reading=ahead.reading, is_first=True, arrived_in=ticket.queue_id)


def _classified(services: Services, message_id: int) -> bool:
    if not messages.is_pending(services.db, message_id):
        return False
    try:
        return triage_ticket.classify(services, message_id)
    except (NotReady, Overloaded, TaskMissing) as error:
        LOG.info("message %d waits for the model: %s", message_id, error.code)
        _put_off(services, message_id)
        return False


def _put_off(services: Services, message_id: int) -> None:
    try:
        with services.db.transaction() as tx:
            messages.put_off(tx, message_id, until=clock.now_ms())
    except NotReady:
        LOG.info("message %d waits for the end of its lease", message_id)


def classify_pending(services: Services, *, limit: int = 32) -> int:
    """Let the model read messages that wait for it, oldest first; how many were read.

    A message that cannot be read is tried again after a wait that doubles up to an hour.
    """
    n_read = 0
    for message in messages.pending(services.db, now=clock.now_ms(), limit=limit):
        if not _claimed(services, message.id):
            continue
        try:
            n_read += int(triage_ticket.classify(services, message.id))
        except BellwetherError as error:
            LOG.info("message %d waits for the model: %s", message.id, error.code)
            _put_off(services, message.id)
            break
        except Exception:
            # One text that the model stumbles over must not hold up the others; it comes again after its wait.
            LOG.exception("message %d could not be read", message.id)
    return n_read


def _claimed(services: Services, message_id: int) -> bool:
    now = clock.now_ms()
    with services.db.transaction() as tx:
        wait_ms = min(store_ticket.LEASE_MS * 2 ** min(messages.n_tries(tx, message_id), 12), LONGEST_WAIT_MS)
        return messages.claim(tx, message_id, now=now, until=now + wait_ms)


def show(services: Services, ticket_id: int, *, viewer: Viewer) -> TicketView:
    """A ticket with its thread, what is believed of it and why, and its history; raises NotFound."""
    db = services.db
    ticket = tickets.get(db, ticket_id, viewer=viewer)
    thread = messages.of_ticket(db, ticket_id)
    message_ids = [message.id for message in thread]
    others = tickets.of_customer(db, ticket.customer_id, viewer=viewer, limit=10)
    return TicketView(
        ticket=ticket,
        queue=queues.get(db, ticket.queue_id),
        customer=customers.get(db, ticket.customer_id),
        messages=thread,
        attachments=attachments.of_messages(db, message_ids),
        predictions=_by_message(predictions.of_messages(db, message_ids)),
        corrections=corrections.of_subjects(db, subject_kind="message", subject_ids=message_ids),
        events=events.of(db, "ticket", ticket_id),
        assignee=None if ticket.assignee_id is None else users.get(db, ticket.assignee_id),
        sla=sla_state(ticket),
        other_tickets=tuple(other for other in others if other.id != ticket_id),
        is_pending=any(messages.is_pending(db, message_id) for message_id in message_ids),
        letters=outbox.of_messages(db, [message.id for message in thread if message.kind == "outgoing"]),
    )


def _by_message(stored: tuple[StoredPrediction, ...]) -> dict[int, tuple[StoredPrediction, ...]]:
    found: dict[int, list[StoredPrediction]] = {}
    for one in stored:
        found.setdefault(one.subject_id, []).append(one)
    return {message_id: tuple(several) for message_id, several in found.items()}


def sla_state(ticket: Ticket) -> SlaState:
    """How a ticket stands against its nearest deadline, now."""
    return sla.clock(ticket, now=clock.now_ms())
