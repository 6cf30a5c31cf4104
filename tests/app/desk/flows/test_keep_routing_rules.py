"""Rules tried, switched on, and acting on arrivals; the model in the shadow until an intent is trusted."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import changes
from app.core.errors import Conflict, InputError
from app.core.events import event_log
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.desk.domain.ticket import Ticket, TicketDraft
from app.desk.flows import act_on_ticket, correct_message, file_ticket, keep_queues, keep_routing_rules
from app.desk.flows.keep_routing_rules import ROUTING_RULE
from app.desk.store import queues
from app.desk.store import routing_rule_rows as rows
from tests.app.conftest import Desk

BUSINESS = {"field": "tier", "operator": "is", "value": "business"}
COMPLAINT = {"field": "intent", "operator": "is", "value": "complaint"}


def rule(services: Services, name: str, conditions: list[dict[str, str]], **actions: str) -> int:
    made = [{"type": kind, "value": value} for kind, value in actions.items()]
    return changes.add(
        services.db, ROUTING_RULE, {"name": name, "conditions": conditions, "actions": made}, viewer=SYSTEM
    ).row.id


def arrive(services: Services, body: str, *, tier: Any = "standard") -> Ticket:
    draft = TicketDraft(subject="", body=body, channel="api", customer_tier=tier, customer_email=f"{tier}@example.com")
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket


def trust(services: Services, route: tuple[str, str], *, least: float, viewer: Viewer) -> None:
    """Let the model route an intent by itself."""
    task, intent = route
    keep_queues.set_trust(
        services.db, viewer=viewer, task=task, intent=intent, is_trusted=True, least_probability=least
    )


def test_a_rule_is_tried_then_switched_on_and_outranks_the_model(services: Services, people: Desk) -> None:
    before = arrive(services, "I complain, this is terrible", tier="business")
    arrive(services, "where is my order")
    assert before.queue_id == people.refunds
    rule_id = rule(services, "Business complaints", [BUSINESS, COMPLAINT], route="cards", add_tag="vip")
    tried = keep_routing_rules.simulate(services, viewer=people.admin, rule_id=rule_id)
    assert (tried.n, tried.n_hit, dict(tried.counts)) == (2, 1, {("intake", "cards"): 1})
    (move,) = tried.moves
    assert (move.ticket_id, move.stands_in, move.would_go_to) == (before.id, "refunds", "cards")
    # Trying moves nothing, and a rule that is off neither.
    assert arrive(services, "I complain again", tier="business").queue_id == people.refunds
    changes.change(services.db, ROUTING_RULE, rule_id, {"is_active": True}, viewer=people.admin)
    after = arrive(services, "I complain once more", tier="business")
    assert (after.queue_id, after.tags) == (people.cards, ("vip",))
    told = event_log.of(services.db, "ticket", after.id)[-1]
    assert (told.verb, told.actor_kind, told.after["rule"]) == ("routed", "rule", "Business complaints")
    changes.undo(services, told.id, viewer=people.admin)
    assert file_ticket.show(services, after.id, viewer=SYSTEM).ticket.queue_id == people.intake


def test_rules_that_never_come_to_rest_are_refused(services: Services, people: Desk) -> None:
    def queue(slug: str) -> list[dict[str, str]]:
        return [{"field": "queue", "operator": "is", "value": slug}]

    with pytest.raises(InputError, match="rule_matches_itself"):
        rule(services, "x", queue("refunds"), route="refunds")
    there = rule(services, "there", queue("intake"), route="refunds")
    changes.change(services.db, ROUTING_RULE, there, {"is_active": True}, viewer=SYSTEM)
    with pytest.raises(InputError, match="rules_in_circle") as raised:
        rule(services, "back", queue("refunds"), route="intake")
    assert set(str(raised.value.params["names"]).split(" → ")) == {"there", "back"}
    assert [one.name for one in rows.every(services.db)] == ["there"]


@pytest.mark.parametrize(
    ("conditions", "actions", "code"),
    [
        ([], {"route": "cards"}, "rule_is_empty"),
        ([COMPLAINT], {}, "rule_is_empty"),
        ([{**COMPLAINT, "value": " "}], {"route": "cards"}, "empty_field"),
        ([{"field": "text", "operator": "at_least", "value": "1"}], {"route": "cards"}, "unknown_value"),
        ([{"field": "probability", "operator": "below", "value": "two"}], {"route": "cards"}, "unknown_value"),
        ([{"field": "urgency", "operator": "below", "value": "101"}], {"route": "cards"}, "unknown_value"),
        ([COMPLAINT], {"route": "nowhere"}, "unknown_queue"),
        ([COMPLAINT], {"set_priority": "huge"}, "unknown_value"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(
    services: Services, people: Desk, conditions: list[dict[str, str]], actions: dict[str, str], code: str
) -> None:
    with pytest.raises(InputError, match=code):
        rule(services, "x", conditions, **actions)


def test_order_and_names(services: Services, people: Desk) -> None:
    first, second = (rule(services, name, [COMPLAINT], route="cards") for name in ("one", "two"))
    with pytest.raises(Conflict, match="name_taken"):
        rule(services, "one", [COMPLAINT], route="cards")
    keep_routing_rules.move_rule(services.db, second, viewer=SYSTEM, by=-1)
    assert [one.id for one in rows.every(services.db)] == [second, first]
    changes.remove(services.db, ROUTING_RULE, second, viewer=SYSTEM)
    assert [one.id for one in rows.every(services.db)] == [first]


def test_the_model_stays_in_the_shadow_until_an_intent_is_trusted(services: Services, people: Desk) -> None:
    keep_queues.set_route_rule(
        services, viewer=SYSTEM, task="commerce_intent", intent="track_order", queue_id=people.cards
    )
    shadowed = arrive(services, "where is my order")
    assert shadowed.queue_id == people.intake
    told = event_log.of(services.db, "ticket", shadowed.id)[-1]
    assert told.after["routing"] == "shadow"
    # Agents send twelve where the model would have, and say of two that it was wrong.
    for at in range(14):
        ticket = arrive(services, f"where is my order {at}")
        if at < 12:
            act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"queue_id": people.cards})
        else:
            correct_message.correct(services, ticket.id, viewer=people.admin, label="complaint", task="commerce_intent")
    found = keep_routing_rules.trust_report(services, precision=0.6)
    (one,) = [one for one in found.intents if one.intent == "track_order"]
    assert (one.steps[0].n, one.steps[0].n_judged, one.steps[0].n_right) == (15, 14, 12)
    assert one.suggested == one.steps[0]
    assert found.n_automated == 15
    route = ("commerce_intent", "track_order")
    trust(services, route, least=0.95, viewer=people.admin)
    assert arrive(services, "where is my order, please").queue_id == people.intake
    trust(services, route, least=0.9, viewer=people.admin)
    assert arrive(services, "where is my order now?").queue_id == people.cards
    # A new queue for the intent leaves its trust as it was.
    keep_queues.set_route_rule(
        services, viewer=SYSTEM, task="commerce_intent", intent="track_order", queue_id=people.refunds
    )
    kept = queues.route_rule(services.db, task="commerce_intent", intent="track_order")
    assert kept is not None
    assert (kept.is_trusted, kept.least_probability) == (True, 0.9)
