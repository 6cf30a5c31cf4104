"""Triage: the model's reading of a message sets the labels, urgency, queue and inbox order of its ticket."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core import clock
from app.core.db import Transaction
from app.core.events import history
from app.core.permissions import SYSTEM
from app.core.prediction import Prediction, Reading
from app.core.services import Services
from app.desk.decide import deadlines, intent_routing, priority
from app.desk.domain.ticket import Customer, Message, RouteRule, Routing, Ticket
from app.desk.flows import apply_routing_rules, set_deadlines
from app.desk.store import customers, messages, queues, routing_rule_rows, tickets
from app.model.flows.read_text import FEELING_ROLES, TICKET_ROLES, read, tasks_for
from app.model.store import predictions


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A message with its sender, and whether it is the first of its ticket; that one `arrived_in` a queue."""

    message: Message
    customer: Customer
    is_first: bool
    arrived_in: int


@dataclass(frozen=True, kw_only=True)
class _Case:
    """The inputs of a triage, at one time."""

    heard: Heard
    reading: Reading
    intent: Prediction | None
    sentiment: Prediction | None
    emotion: Prediction | None
    rule: RouteRule | None
    now: int


def classify(services: Services, message_id: int) -> bool:
    """Let the model read a waiting message and triage its ticket; return whether it was still waiting.

    Raises NotReady, Overloaded, DeadlineExceeded or TaskMissing; the message then waits on.
    """
    db = services.db
    message = messages.get(db, message_id)
    ticket = tickets.read(db, message.ticket_id)
    first = messages.first_incoming(db, ticket.id)
    heard = Heard(
        message=message,
        customer=customers.get(db, ticket.customer_id),
        is_first=first is not None and first.id == message_id,
        arrived_in=ticket.queue_id,
    )
    if heard.is_first:
        task = ticket.intent_task or queues.get(db, ticket.queue_id).intent_task
        reading = read_first(services, message.text, intent_task=task)
    else:
        reading = read(services, [message.text], tasks=tasks_for(services, roles=FEELING_ROLES))[0]

    def settle(tx: Transaction) -> bool:
        return triage(tx, services, tickets.read(tx, ticket.id), heard=heard, reading=reading) is not None

    return db.group_commit(settle)


def read_first(services: Services, text: str, *, intent_task: str) -> Reading:
    """Let the model read the first message of a ticket; raises as `classify` does."""
    known = intent_task if intent_task in services.engine.tasks else None
    return read(services, [text], tasks=tasks_for(services, roles=TICKET_ROLES, intent_task=known))[0]


def triage(tx: Transaction, services: Services, was: Ticket, *, heard: Heard, reading: Reading) -> Ticket | None:
    """Store the reading of a waiting message and triage its ticket; return None when it does not wait any more."""
    message, now = heard.message, clock.now_ms()
    if not messages.settle(tx, message.id, language=reading.language, is_supported=reading.is_supported):
        return None
    predictions.insert_all(tx, subject_kind="message", subject_id=message.id, predictions=reading.predictions, at=now)
    intent = reading.of_role("intent")
    case = _Case(
        heard=heard,
        reading=reading,
        intent=intent,
        sentiment=reading.of_role("sentiment"),
        emotion=reading.of_role("emotion"),
        rule=None if intent is None else queues.route_rule(tx, task=intent.task, intent=intent.label),
        now=now,
    )
    routed = _routing(was, case=case, is_enabled=services.policy.is_routing)
    ticket = tickets.write(tx, was, _with_order(tx, was, _believed(was, case=case), routed=routed, now=now))
    _record(tx, was, ticket=ticket, case=case, routed=routed)
    return _routed(tx, ticket, case=case, routed=routed)


def _believed(ticket: Ticket, *, case: _Case) -> Ticket:
    """A ticket with the labels, the urgency and the priority that follow from what was read."""
    updated_at = max(ticket.updated_at, case.heard.message.occurred_at)
    found = _with_urgency(_with_feelings(replace(ticket, updated_at=updated_at), case=case), case=case)
    if not case.heard.is_first:
        return found
    found = replace(found, language=case.reading.language)
    return found if ticket.intent_source == "agent" else _with_intent(found, case=case)


def _with_feelings(ticket: Ticket, *, case: _Case) -> Ticket:
    sentiment, emotion = case.sentiment, case.emotion
    if sentiment is not None:
        score = None if sentiment.abstained else sentiment.sentiment_score
        ticket = replace(ticket, sentiment=_label(sentiment), sentiment_score=score)
    return ticket if emotion is None else replace(ticket, emotion=_label(emotion))


def _with_intent(ticket: Ticket, *, case: _Case) -> Ticket:
    intent, is_supported = case.intent, case.reading.is_supported
    if intent is None:
        nothing = replace(ticket, intent=None, intent_probability=None, intent_band=None)
        return replace(nothing, needs_person=not is_supported)
    return replace(
        ticket,
        intent_task=intent.task,
        intent=_label(intent),
        intent_probability=intent.probability,
        intent_band=intent.band,
        needs_person=not is_supported or intent.abstained,
    )


def _label(prediction: Prediction) -> str | None:
    return None if prediction.abstained else prediction.label


def _with_urgency(ticket: Ticket, *, case: _Case) -> Ticket:
    due = ticket.first_response_due_at if ticket.first_responded_at is None else None
    found = priority.urgency(
        intent_urgency=intent_routing.intent_urgency(intent=case.intent, rule=case.rule),
        sentiment=case.sentiment,
        emotion=case.emotion,
        text=case.heard.message.text,
        tier=case.heard.customer.tier,
        hours_left=deadlines.hours_left(due_at=ticket.resolution_due_at if due is None else due, now=case.now),
    )
    before = ticket.urgency
    # What follows can make a ticket more urgent; a calm "thanks" does not make the stolen card less so.
    if not case.heard.is_first and before is not None and before.points > found.points:
        found = before
    return replace(ticket, urgency=found, priority=ticket.priority if ticket.is_priority_set else found.priority)


def _routing(ticket: Ticket, *, case: _Case, is_enabled: bool) -> Routing:
    if not case.heard.is_first or ticket.queue_id != case.heard.arrived_in or ticket.intent_source == "agent":
        return Routing(queue_id=None, reason="not_asked")
    return intent_routing.route(intent=case.intent, rule=case.rule, is_enabled=is_enabled)


def _with_order(tx: Transaction, was: Ticket, ticket: Ticket, *, routed: Routing, now: int) -> Ticket:
    """The ticket with the deadlines of the queue that it is about to move to, and its place in the inbox."""
    moved = replace(ticket, queue_id=was.queue_id if routed.queue_id is None else routed.queue_id)
    due = replace(set_deadlines.follow(tx, was, moved, now=now), queue_id=was.queue_id)
    return replace(due, risk=deadlines.risk(due, now=now))


def _record(tx: Transaction, was: Ticket, *, ticket: Ticket, case: _Case, routed: Routing) -> None:
    models = [one.model for one in case.reading.predictions]
    changed = ("intent", "sentiment", "emotion", "priority", "needs_person")
    reason = {} if routed.reason == "not_asked" else {"routing": routed.reason}
    history.record(
        tx,
        actor=("model", models[0]) if models else history.of(SYSTEM),
        verb="triaged",
        noun="ticket",
        noun_id=ticket.id,
        before={name: getattr(was, name) for name in changed},
        after={
            **{name: getattr(ticket, name) for name in changed},
            "message_id": case.heard.message.id,
            "intent_probability": ticket.intent_probability,
            "urgency": 0 if ticket.urgency is None else ticket.urgency.points,
            **reason,
        },
        data={"subject": ticket.subject, "external_id": ticket.external_id, "status": ticket.status},
    )


def _routed(tx: Transaction, ticket: Ticket, *, case: _Case, routed: Routing) -> Ticket:
    """The ticket in the queue that a rule or the model names; rules that people wrote come first."""
    rules = () if routed.reason == "not_asked" else routing_rule_rows.every(tx, is_active=True)
    if rules:
        ticket, is_settled = apply_routing_rules.apply(
            tx, ticket, rules=rules, customer=case.heard.customer, text=case.heard.message.text, intent=case.intent
        )
        if is_settled:
            return ticket
    if routed.queue_id in (None, ticket.queue_id):
        return ticket
    moved = tickets.write(tx, ticket, replace(ticket, queue_id=routed.queue_id))
    history.record(
        tx,
        actor=("rule", f"route:{routed.rule_id}"),
        verb="routed",
        noun="ticket",
        noun_id=ticket.id,
        before={"queue_id": ticket.queue_id},
        after={"queue_id": routed.queue_id, "reason": routed.reason, "rule_id": routed.rule_id},
    )
    return moved
