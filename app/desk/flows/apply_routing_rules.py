"""Rules that people wrote, done to a ticket that was just read: its queue, its priority, its tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.core.db import Transaction
from app.core.events import history
from app.core.prediction import Prediction
from app.desk.decide import routing_rules
from app.desk.domain.routing_rule import Facts, RoutingRule
from app.desk.domain.ticket import Customer, Ticket
from app.desk.store import queues, tickets


def apply(
    tx: Transaction,
    ticket: Ticket,
    *,
    rules: Sequence[RoutingRule],
    customer: Customer,
    text: str,
    intent: Prediction | None,
) -> tuple[Ticket, bool]:
    """Do what the rules say that hold; return the ticket and whether one of them chose its queue."""
    slugs = queues.slugs(tx)
    facts = _facts(ticket, queue=slugs[ticket.queue_id], customer=customer, text=text, intent=intent)
    hits = routing_rules.run(rules, facts=facts).hits
    ids = {slug: queue_id for queue_id, slug in slugs.items()}
    for rule in hits:
        facts = routing_rules.done(rule, facts=facts)
        after = replace(ticket, queue_id=ids[facts.queue], priority=facts.priority, tags=facts.tags)
        ticket = _written(tx, ticket, after, rule=rule)
    return ticket, routing_rules.routed_by(hits) is not None


def _facts(ticket: Ticket, *, queue: str, customer: Customer, text: str, intent: Prediction | None) -> Facts:
    return Facts(
        queue=queue,
        intent=ticket.intent or "",
        sentiment=ticket.sentiment or "",
        emotion=ticket.emotion or "",
        language=ticket.language,
        channel=ticket.channel,
        tier=customer.tier,
        priority=ticket.priority,
        needs_person=ticket.needs_person,
        probability=0.0 if intent is None or intent.abstained else intent.probability,
        urgency=0 if ticket.urgency is None else ticket.urgency.points,
        text=text,
        tags=ticket.tags,
    )


def _written(tx: Transaction, was: Ticket, ticket: Ticket, *, rule: RoutingRule) -> Ticket:
    """Write down what one rule did, as one event."""
    changed = tickets.changes(was, ticket)
    if not changed:
        return was
    is_moved = "queue_id" in changed
    written = tickets.write(tx, was, ticket)
    history.record(
        tx,
        actor=("rule", f"routing:{rule.id}"),
        verb="routed" if is_moved else "edited",
        noun="ticket",
        noun_id=ticket.id,
        before={name: getattr(was, name) for name in changed},
        after={**changed, "rule": rule.name, **({"reason": "routing_rule"} if is_moved else {})},
    )
    return written
