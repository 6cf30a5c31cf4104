"""Filing: a message comes in, is stored, read by the model, prioritised and put into the right queue."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.core import clock
from app.core.db import Transaction
from app.core.errors import BellwetherError, NotReady, Overloaded, TaskMissing
from app.core.events import event_log as events
from app.core.events.event import Event
from app.core.permissions import User, Viewer
from app.core.prediction import Correction, Reading, StoredPrediction
from app.core.services import Services
from app.desk.decide import deadlines
from app.desk.domain.ticket import Customer, Message, Queue, SlaState, Ticket, TicketDraft
from app.desk.flows import store_ticket, triage_ticket
from app.desk.flows.store_ticket import Stored
from app.desk.flows.triage_ticket import Heard
from app.desk.store import attachments, customers, messages, outbox, queues, tickets
from app.desk.store.attachments import Attachment
from app.intents.store import corrections
from app.model.store import predictions
from app.notify.domain.letter import OutboxRow
from app.people.store import users

LOG = logging.getLogger(__name__)
LONGEST_WAIT_MS = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Received:
    """The result of filing a draft; `is_pending` while the model has yet to read the message.

    `is_in_sight` is false where the message joined a ticket that its sender may not read.
    """

    ticket: Ticket
    message: Message
    is_new: bool
    is_update: bool
    is_pending: bool
    is_in_sight: bool = True


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """The content of a ticket's page; predictions, corrections and letters by message id, oldest first."""

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
    prepared, db = store_ticket.Prepared(draft=draft), services.db
    early = _read_early(services, prepared, viewer=viewer)

    def file(tx: Transaction) -> Stored:
        stored = store_ticket.store(tx, services, prepared, viewer=viewer)
        if early is not None and stored.opener is not None:
            stored = _triage(tx, services, stored, early=early)
        if stored.is_waiting:
            messages.hold(tx, stored.message)
        return stored

    stored = db.group_commit(file)
    is_refused = stored.opener is not None and early is not None and early.reading is None
    if stored.is_waiting and not is_refused:
        db.after_commit(lambda: _classified(services, stored.message.id))
        ticket, message = tickets.read(db, stored.ticket.id), messages.get(db, stored.message.id)
        stored = replace(stored, ticket=ticket, message=message)
    return Received(
        ticket=stored.ticket,
        message=stored.message,
        is_new=stored.is_new,
        is_update=stored.is_update,
        is_pending=stored.message.pending_at is not None,
        is_in_sight=store_ticket.may_see(db, stored.ticket, viewer=viewer),
    )


@dataclass(frozen=True, kw_only=True)
class _Early:
    """A reading of a text before it was stored, with the intent task then in force; None where it could not be read."""

    text: str
    intent_task: str
    reading: Reading | None


def _read_early(services: Services, prepared: store_ticket.Prepared, *, viewer: Viewer) -> _Early | None:
    """Let the model read a draft that will open a ticket, so that one transaction can store and triage it.

    Returns None for every other draft: those are stored first and read then.
    """
    queue = store_ticket.foreseen_queue(services.db, prepared.draft, viewer=viewer)
    if queue is None:
        return None
    text = prepared.texts(is_redacting=queue.is_redacting, is_first=True).text
    reading = None
    try:
        reading = triage_ticket.read_first(services, text, intent_task=queue.intent_task)
    except BellwetherError as error:
        LOG.info("a ticket will wait for the model: %s", error.code)
    except Exception:
        # One text that the model stumbles over is accepted like any other.
        LOG.exception("a ticket could not be read")
    return _Early(text=text, intent_task=queue.intent_task, reading=reading)


def _triage(tx: Transaction, services: Services, stored: Stored, *, early: _Early) -> Stored:
    """Triage a ticket that was just opened, with the reading that was made before."""
    message, ticket = stored.message, stored.ticket
    # The queue may have changed in between: then what was read may be another text, or asked of another task.
    if stored.opener is None or (message.text, ticket.intent_task) != (early.text, early.intent_task):
        return stored
    if early.reading is None:
        now = clock.now_ms()
        messages.put_off(tx, message.id, until=now)
        return replace(stored, message=replace(message, pending_at=now))
    heard = Heard(message=message, customer=stored.opener, is_first=True, arrived_in=ticket.queue_id)
    triaged = triage_ticket.triage(tx, services, ticket, heard=heard, reading=early.reading)
    if triaged is None:
        return stored
    read = replace(message, pending_at=None, language=early.reading.language)
    return replace(stored, ticket=triaged, message=replace(read, is_supported=early.reading.is_supported))


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
    """Let the model read messages that wait for it, oldest first; return how many were read.

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
    """Return a ticket with its thread, its predictions and its history; raises NotFound."""
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
        is_pending=any(message.pending_at is not None for message in thread),
        letters=outbox.of_messages(db, [message.id for message in thread if message.kind == "outgoing"]),
    )


def _by_message(stored: tuple[StoredPrediction, ...]) -> dict[int, tuple[StoredPrediction, ...]]:
    found: dict[int, list[StoredPrediction]] = {}
    for one in stored:
        found.setdefault(one.subject_id, []).append(one)
    return {message_id: tuple(several) for message_id, several in found.items()}


def sla_state(ticket: Ticket) -> SlaState:
    """Return the state of a ticket's nearest deadline, now."""
    return deadlines.clock(ticket, now=clock.now_ms())
