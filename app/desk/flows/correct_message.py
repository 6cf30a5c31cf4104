"""Corrections of messages: the right intent moves the ticket to its queue and its urgency with it."""

from __future__ import annotations

from dataclasses import replace

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import InputError, NotFound
from app.core.events import event_log
from app.core.nouns import Changed, Fields
from app.core.permissions import Viewer
from app.core.prediction import Correction, StoredPrediction
from app.core.services import Services
from app.desk.decide import deadlines
from app.desk.decide.intent_routing import DEFAULT_URGENCY
from app.desk.decide.priority import with_intent
from app.desk.domain.ticket import OPEN_STATUSES, Priority, RouteRule, Ticket, Urgency, UrgencyPart
from app.desk.flows import set_deadlines
from app.desk.store import messages, queues, tickets
from app.intents.decide.label_columns import columns as label_columns
from app.intents.flows import correct_prediction
from app.intents.flows.correct_prediction import SeenText
from app.model.store import predictions


class MessageSubject:
    """A message of a ticket as the subject of a correction."""

    noun = "ticket"

    def seen(self, tx: Transaction, subject_id: int, *, viewer: Viewer) -> SeenText:
        """The text of a message and its ticket; raises NotFound for one out of sight."""
        message = messages.get(tx, subject_id)
        return SeenText(noun_id=tickets.get(tx, message.ticket_id, viewer=viewer).id, text=message.text)

    def believed(self, tx: Transaction, stored: StoredPrediction, *, noun_id: int, label: str) -> Fields:
        """Return the columns of the ticket that a person's label changes: an intent changes queue and urgency too."""
        role, task = stored.prediction.role, stored.prediction.task
        found = label_columns(role, label=label)
        if role != "intent":
            return found
        ticket, rule = tickets.read(tx, noun_id), queues.route_rule(tx, task=task, intent=label)
        return {**found, **_rerouting(tx, ticket, rule=rule), **_urgency(ticket, rule=rule)}

    def write(self, tx: Transaction, subject_id: int, *, noun_id: int, columns: Fields) -> Fields:
        """Write the columns of the ticket; returns what they were."""
        return _write(tx, tickets.read(tx, noun_id), columns=columns)


def correct(services: Services, ticket_id: int, *, viewer: Viewer, label: str, task: str | None) -> Changed[Correction]:
    """Correct the newest prediction of a task for a ticket.

    Raises InputError `nothing_to_correct` without a task, NotFound for a ticket out of sight, and as
    `correct_prediction.correct` does.
    """
    viewer.person_id(permission="tickets:write")
    if task is None:
        raise InputError("nothing_to_correct")
    tickets.get(services.db, ticket_id, viewer=viewer)
    stored = newest(services.db, ticket_id, task=task)
    return correct_prediction.correct_stored(services, stored, viewer=viewer, label=label)


def newest(db: Reads, ticket_id: int, *, task: str) -> StoredPrediction:
    """A ticket's newest prediction of a task; raises NotFound."""
    for message in reversed(messages.of_ticket(db, ticket_id)):
        found = predictions.latest(db, subject_kind="message", subject_id=message.id, task=task)
        if found is not None:
            return found
    raise NotFound(noun="prediction", id=f"{ticket_id}/{task}")


def _rerouting(tx: Transaction, ticket: Ticket, *, rule: RouteRule | None) -> Fields:
    """Return the queue of the intent that a person names; a queue that a person chose before stays."""
    if rule is None or rule.queue_id in (None, ticket.queue_id) or _is_placed(tx, ticket):
        return {}
    return {"queue_id": rule.queue_id}


def _urgency(ticket: Ticket, *, rule: RouteRule | None) -> Fields:
    """Return the urgency that the right intent means, and the priority unless a person chose it."""
    if ticket.urgency is None:
        return {}
    found = with_intent(ticket.urgency, intent_urgency=DEFAULT_URGENCY if rule is None else rule.urgency)
    if found == ticket.urgency:
        return {}
    columns = dict(_of_urgency(found))
    if found.priority != ticket.priority and not ticket.is_priority_set:
        columns["priority"] = found.priority
    return columns


def _of_urgency(urgency: Urgency | None) -> Fields:
    """An urgency as events keep it."""
    if urgency is None:
        return {"urgency": None, "urgency_parts": ()}
    return {"urgency": urgency.points, "urgency_parts": [(part.code, part.points) for part in urgency.parts]}


def _urgency_of(columns: Fields, *, priority: Priority) -> Urgency | None:
    """An urgency as an event kept it."""
    if columns["urgency"] is None:
        return None
    parts = tuple(UrgencyPart(code=code, points=points) for code, points in columns["urgency_parts"])
    return Urgency(points=columns["urgency"], priority=priority, parts=parts)


def _is_placed(tx: Transaction, ticket: Ticket) -> bool:
    told = event_log.of(tx, "ticket", ticket.id)
    undone = {event.undoes for event in told}
    moves = [
        event
        for event in told
        if "queue_id" in event.before and event.id not in undone and event.undoes is None and event.verb != "corrected"
    ]
    return bool(moves) and moves[-1].actor_kind in ("agent", "token")


def _write(tx: Transaction, was: Ticket, *, columns: Fields) -> Fields:
    """Write columns of a ticket, with its clocks and its place in the inbox; return what the columns were."""
    now = clock.now_ms()
    plain = {name: value for name, value in columns.items() if name not in ("urgency", "urgency_parts")}
    ticket = replace(was, **plain, updated_at=now)
    if "urgency" in columns:
        ticket = replace(ticket, urgency=_urgency_of(columns, priority=ticket.priority))
    ticket = set_deadlines.follow(tx, was, ticket, now=now)
    if ticket.status in OPEN_STATUSES:
        ticket = replace(ticket, risk=deadlines.risk(ticket, now=now), refresh_at=0)
    tickets.write(tx, was, ticket)
    before = _of_urgency(was.urgency)
    return {key: before[key] if key in before else getattr(was, key) for key in columns}
