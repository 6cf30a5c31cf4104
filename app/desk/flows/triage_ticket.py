"""From what the model says of a message to what is believed of its ticket: labels, urgency, queue, inbox order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core import clock
from app.core.db import Transaction
from app.core.events import history
from app.core.permissions import SYSTEM
from app.core.prediction import Prediction, Reading
from app.core.services import Services
from app.desk.decide import breach_risk, deadlines, intent_routing, priority
from app.desk.domain.ticket import Customer, Message, RouteRule, Routing, Ticket, Urgency
from app.desk.flows import keep_routing_rules as rule_flow
from app.desk.flows import set_deadlines
from app.desk.store import customers, messages, queues, tickets
from app.model.flows.read_text import FEELING_ROLES, TICKET_ROLES, read, tasks_for
from app.model.store import predictions


@dataclass(frozen=True, kw_only=True)
class _Case:
    """All that a triage is decided on."""

    ticket: Ticket
    message: Message
    customer: Customer
    reading: Reading
    rules: Sequence[RouteRule]
    is_first: bool
    is_priority_set: bool


def classify(services: Services, message_id: int) -> bool:
    """Let the model read a waiting message and triage its ticket; whether it was still waiting.

    Raises NotReady, Overloaded, DeadlineExceeded or TaskMissing; the message then waits on.
    """
    message = messages.get(services.db, message_id)
    ticket = tickets.read(services.db, message.ticket_id)
    is_first = _is_first(services, message)
    tasks = tasks_for(services, roles=TICKET_ROLES if is_first else FEELING_ROLES, intent_task=_task(services, ticket))
    reading = read(services, [message.text], tasks=tasks)[0]

    def settle(tx: Transaction) -> bool:
        return settled(tx, services, message, reading=reading, is_first=is_first, arrived_in=ticket.queue_id)

    return services.db.group_commit(settle)


def settled(
    tx: Transaction, services: Services, message: Message, *, reading: Reading, is_first: bool, arrived_in: int
) -> bool:
    """Keep what the model said of a waiting message and triage its ticket; whether it was still waiting."""
    if not messages.settle(tx, message.id, language=reading.language, is_supported=reading.is_supported):
        return False
    predictions.insert_all(
        tx,
        subject_kind="message",
        subject_id=message.id,
        predictions=reading.predictions,
        at=clock.now_ms(),
    )
    case = _case(tx, message=message, reading=reading, is_first=is_first)
    _triaged(tx, services, case, arrived_in=arrived_in)
    return True


def foreseen(services: Services, text: str, *, intent_task: str) -> Reading:
    """What the model says of the first message of a ticket, before it is stored; raises as `classify` does."""
    known = intent_task if intent_task in services.engine.tasks else None
    return read(services, [text], tasks=tasks_for(services, roles=TICKET_ROLES, intent_task=known))[0]


def _is_first(services: Services, message: Message) -> bool:
    first = messages.first_incoming(services.db, message.ticket_id)
    return first is not None and first.id == message.id


def _task(services: Services, ticket: Ticket) -> str | None:
    task = ticket.intent_task or queues.get(services.db, ticket.queue_id).intent_task
    return task if task in services.engine.tasks else None


def _case(tx: Transaction, *, message: Message, reading: Reading, is_first: bool) -> _Case:
    ticket = tickets.read(tx, message.ticket_id)
    intent = reading.of_role("intent")
    return _Case(
        ticket=ticket,
        message=message,
        customer=customers.get(tx, ticket.customer_id),
        reading=reading,
        rules=_rules(tx, intent),
        is_first=is_first,
        is_priority_set=tickets.is_priority_set(tx, ticket.id),
    )


def _rules(tx: Transaction, intent: Prediction | None) -> tuple[RouteRule, ...]:
    rule = None if intent is None else queues.route_rule(tx, task=intent.task, intent=intent.label)
    return () if rule is None else (rule,)


def _triaged(tx: Transaction, services: Services, case: _Case, *, arrived_in: int) -> None:
    was, now = case.ticket, clock.now_ms()
    changes = _beliefs(case)
    urgency = _urgency(case, now=now)
    changes |= {"urgency": urgency}
    if not case.is_priority_set:
        changes |= {"priority": urgency.priority}
    routed = _routing(case, services=services, arrived_in=arrived_in)
    moved = {**changes, "queue_id": was.queue_id if routed.queue_id is None else routed.queue_id}
    changes |= set_deadlines.followed(tx, was, moved, now=now)
    # The risk is computed on what is about to be written.
    changes["risk"] = _risk(was, changes=changes, urgency=urgency, now=now)
    ticket = tickets.update(tx, was.id, changes=changes)
    _record(tx, was, ticket=ticket, case=case, routed=routed)
    # Rules that people wrote come before the model's own routing.
    if routed.reason != "not_asked" and _is_ruled(tx, ticket, case=case):
        return
    if routed.queue_id is not None and routed.queue_id != was.queue_id:
        _move(tx, ticket, routed=routed)


def _is_ruled(tx: Transaction, ticket: Ticket, *, case: _Case) -> bool:
    intent = case.reading.of_role("intent")
    sure = 0.0 if intent is None or intent.abstained else intent.probability
    return rule_flow.apply(tx, ticket, tier=case.customer.tier, text=case.message.text, probability=sure)


def _beliefs(case: _Case) -> dict[str, Any]:
    intent, reading = case.reading.of_role("intent"), case.reading
    changes: dict[str, Any] = {"updated_at": max(case.ticket.updated_at, case.message.occurred_at)}
    sentiment, emotion = reading.of_role("sentiment"), reading.of_role("emotion")
    if sentiment is not None:
        changes |= {"sentiment": _label(sentiment), "sentiment_score": _score(sentiment)}
    if emotion is not None:
        changes["emotion"] = _label(emotion)
    if not case.is_first:
        return changes
    changes["language"] = reading.language
    if case.ticket.intent_source == "agent":
        return changes
    return changes | {
        "intent_task": case.ticket.intent_task if intent is None else intent.task,
        "intent": None if intent is None else _label(intent),
        "intent_probability": None if intent is None else intent.probability,
        "intent_band": None if intent is None else intent.band,
        "needs_person": not reading.is_supported or (intent is not None and intent.abstained),
    }


def _label(prediction: Prediction) -> str | None:
    return None if prediction.abstained else prediction.label


def _score(prediction: Prediction) -> float | None:
    return None if prediction.abstained else prediction.sentiment_score


def _urgency(case: _Case, *, now: int) -> Urgency:
    due = case.ticket.first_response_due_at if case.ticket.first_responded_at is None else None
    due = due if due is not None else case.ticket.resolution_due_at
    found = priority.urgency(
        intent_urgency=intent_routing.intent_urgency(intent=case.reading.of_role("intent"), rules=case.rules),
        sentiment=case.reading.of_role("sentiment"),
        emotion=case.reading.of_role("emotion"),
        text=case.message.text,
        tier=case.customer.tier,
        hours_left=deadlines.hours_left(due_at=due, now=now),
    )
    before = case.ticket.urgency
    # What follows can make a ticket more urgent; a calm "thanks" does not make the stolen card less so.
    return before if not case.is_first and before is not None and before.points > found.points else found


def _risk(ticket: Ticket, *, changes: dict[str, Any], urgency: Urgency, now: int) -> int:
    return breach_risk.risk(
        urgency=urgency.points,
        first_response_due_at=changes.get("first_response_due_at", ticket.first_response_due_at),
        resolution_due_at=changes.get("resolution_due_at", ticket.resolution_due_at),
        first_responded_at=ticket.first_responded_at,
        created_at=ticket.created_at,
        now=now,
    )


def _routing(case: _Case, *, services: Services, arrived_in: int) -> Routing:
    if not case.is_first or case.ticket.queue_id != arrived_in or case.ticket.intent_source == "agent":
        return Routing(queue_id=None, reason="not_asked")
    return intent_routing.route(
        intent=case.reading.of_role("intent"), rules=case.rules, is_enabled=services.policy.is_routing
    )


def _record(tx: Transaction, was: Ticket, *, ticket: Ticket, case: _Case, routed: Routing) -> None:
    models = [one.model for one in case.reading.predictions]
    told = ("intent", "sentiment", "emotion", "priority", "needs_person")
    reason = {} if routed.reason == "not_asked" else {"routing": routed.reason}
    history.record(
        tx,
        actor=("model", models[0]) if models else history.of(SYSTEM),
        verb="triaged",
        noun="ticket",
        noun_id=ticket.id,
        before={name: getattr(was, name) for name in told},
        after={
            **{name: getattr(ticket, name) for name in told},
            "message_id": case.message.id,
            "intent_probability": ticket.intent_probability,
            "urgency": 0 if ticket.urgency is None else ticket.urgency.points,
            **reason,
        },
        data={"subject": ticket.subject, "external_id": ticket.external_id, "status": ticket.status},
    )


def _move(tx: Transaction, ticket: Ticket, *, routed: Routing) -> None:
    tickets.update(tx, ticket.id, changes={"queue_id": routed.queue_id})
    history.record(
        tx,
        actor=("rule", f"route:{routed.rule_id}"),
        verb="routed",
        noun="ticket",
        noun_id=ticket.id,
        before={"queue_id": ticket.queue_id},
        after={"queue_id": routed.queue_id, "reason": routed.reason, "rule_id": routed.rule_id},
    )
