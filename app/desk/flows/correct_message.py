"""Corrections of messages: the right intent moves the ticket to its queue and its urgency with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import InputError, NotFound
from app.core.events import event_log
from app.core.nouns import Changed
from app.core.permissions import Viewer
from app.core.prediction import Correction, StoredPrediction
from app.core.services import Services
from app.desk.decide.intent_routing import DEFAULT_URGENCY
from app.desk.decide.priority import with_intent
from app.desk.domain.ticket import OPEN_STATUSES, Ticket, Urgency
from app.desk.flows import order_inbox, set_deadlines
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

    def check_sight(self, tx: Transaction, noun_id: int, *, viewer: Viewer) -> None:
        """Raise NotFound for a ticket out of sight."""
        tickets.get(tx, noun_id, viewer=viewer)

    def believed(self, tx: Transaction, stored: StoredPrediction, *, noun_id: int, label: str) -> dict[str, Any]:
        """The columns of the ticket that a person's label changes: an intent brings its queue and its urgency."""
        role, task = stored.prediction.role, stored.prediction.task
        found = label_columns(role, label=label)
        if role != "intent":
            return found
        ticket = tickets.read(tx, noun_id)
        return found | _rerouted(tx, ticket, task=task, label=label) | _urgency(tx, ticket, task=task, label=label)

    def write(self, tx: Transaction, subject_id: int, *, noun_id: int, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Write the columns of the ticket; returns what they were."""
        return _write(tx, tickets.read(tx, noun_id), columns=columns)


def correct(services: Services, ticket_id: int, *, viewer: Viewer, label: str, task: str | None) -> Changed[Correction]:
    """Say what a ticket really is: its newest prediction of a task is corrected.

    Raises InputError `nothing_to_correct` without a task, NotFound for a ticket out of sight, and as
    `correct_prediction.correct` does.
    """
    correct_prediction.check_person(viewer)
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


def _rerouted(tx: Transaction, ticket: Ticket, *, task: str, label: str) -> dict[str, Any]:
    """The queue of the intent that a person names; a queue that a person chose before stays."""
    rule = queues.route_rule(tx, task=task, intent=label)
    if rule is None or rule.queue_id in (None, ticket.queue_id) or _is_placed(tx, ticket):
        return {}
    return {"queue_id": rule.queue_id}


def _urgency(tx: Transaction, ticket: Ticket, *, task: str, label: str) -> dict[str, Any]:
    """The urgency that the right intent means, and the priority unless a person chose it."""
    if ticket.urgency is None:
        return {}
    rule = queues.route_rule(tx, task=task, intent=label)
    found = with_intent(ticket.urgency, intent_urgency=DEFAULT_URGENCY if rule is None else rule.urgency)
    if found == ticket.urgency:
        return {}
    columns: dict[str, Any] = _of_urgency(found)
    if found.priority != ticket.priority and not tickets.is_priority_set(tx, ticket.id):
        columns["priority"] = found.priority
    return columns


def _of_urgency(urgency: Urgency | None) -> dict[str, Any]:
    """An urgency as its columns and events keep it."""
    if urgency is None:
        return {"urgency": None, "urgency_parts": ()}
    return {"urgency": urgency.points, "urgency_parts": [(part.code, part.points) for part in urgency.parts]}


def _is_placed(tx: Transaction, ticket: Ticket) -> bool:
    told = event_log.of(tx, "ticket", ticket.id)
    undone = {event.undoes for event in told}
    moves = [
        event
        for event in told
        if "queue_id" in event.before and event.id not in undone and event.undoes is None and event.verb != "corrected"
    ]
    return bool(moves) and moves[-1].actor_kind in ("agent", "token")


def _write(tx: Transaction, was: Ticket, *, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The clocks of a ticket follow its queue and priority, and its place in the inbox is looked at anew."""
    now = clock.now_ms()
    changes = {**columns, **set_deadlines.followed(tx, was, columns, now=now), "updated_at": now}
    ticket = tickets.update(tx, was.id, changes=changes)
    if ticket.status in OPEN_STATUSES:
        tickets.set_places(tx, [(ticket.id, order_inbox.risk_of(ticket, now=now), ticket.sla, 0)])
    urgency = _of_urgency(was.urgency)
    return {key: urgency[key] if key in urgency else getattr(was, key) for key in columns}
