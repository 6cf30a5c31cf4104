from __future__ import annotations

import pytest

from app.core.prediction import Prediction
from app.desk.decide.intent_routing import DEFAULT_URGENCY, intent_urgency, route
from app.desk.domain.ticket import RouteRule, Routing
from tests.app.desk.decide.predictions import prediction

RULES = (
    RouteRule(id=1, task="commerce_intent", intent="get_refund", queue_id=7, urgency=20),
    RouteRule(id=2, task="banking_intent", intent="get_refund", queue_id=8),
    RouteRule(id=3, task="commerce_intent", intent="review", queue_id=None, urgency=5),
)


def rule_of(intent: Prediction | None) -> RouteRule | None:
    """The rule of the predicted intent."""
    return next((r for r in RULES if intent is not None and (r.task, r.intent) == (intent.task, intent.label)), None)


@pytest.mark.parametrize(
    ("intent", "is_enabled", "expected"),
    [
        (prediction("get_refund"), True, Routing(queue_id=7, reason="rule", rule_id=1)),
        (prediction("get_refund", task="banking_intent"), True, Routing(queue_id=8, reason="rule", rule_id=2)),
        (prediction("get_refund"), False, Routing(queue_id=None, reason="routing_off", rule_id=1)),
        (prediction("get_refund", abstained=True), True, Routing(queue_id=None, reason="abstained")),
        (prediction("out_of_scope"), True, Routing(queue_id=None, reason="out_of_scope")),
        (prediction("track_order"), True, Routing(queue_id=None, reason="no_rule")),
        (prediction("review"), True, Routing(queue_id=None, reason="rule_without_queue", rule_id=3)),
        (None, True, Routing(queue_id=None, reason="no_intent")),
    ],
)
def test_the_intents_rule_chooses_the_queue(intent: Prediction | None, is_enabled: bool, expected: Routing) -> None:
    assert route(intent=intent, rule=rule_of(intent), is_enabled=is_enabled) == expected


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (prediction("get_refund"), 20),
        (prediction("review"), 5),
        (prediction("get_refund", abstained=True), DEFAULT_URGENCY),
        (prediction("track_order"), DEFAULT_URGENCY),
        (None, DEFAULT_URGENCY),
    ],
)
def test_base_urgency_is_the_rules(intent: Prediction | None, expected: int) -> None:
    assert intent_urgency(intent=intent, rule=rule_of(intent)) == expected
