"""Routing by intent: the predicted intent has a rule, the rule names the queue."""

from __future__ import annotations

from app.core.prediction import OUT_OF_SCOPE, Prediction
from app.desk.domain.ticket import RouteRule, Routing

DEFAULT_URGENCY = 10


def route(*, intent: Prediction | None, rule: RouteRule | None, is_enabled: bool) -> Routing:
    """The queue that the intent's rule names, or the code that says why the ticket stays where it is.

    Codes: `no_intent`, `abstained`, `out_of_scope`, `no_rule`, `rule_without_queue`, `routing_off`, `shadow`,
    `rule`. With routing off, or an intent that is not trusted so far, the rule is still named.
    """
    if intent is None:
        return Routing(queue_id=None, reason="no_intent")
    if intent.abstained:
        return Routing(queue_id=None, reason="abstained")
    if intent.label == OUT_OF_SCOPE:
        return Routing(queue_id=None, reason="out_of_scope")
    if rule is None:
        return Routing(queue_id=None, reason="no_rule")
    if rule.queue_id is None:
        return Routing(queue_id=None, reason="rule_without_queue", rule_id=rule.id)
    if not is_enabled:
        return Routing(queue_id=None, reason="routing_off", rule_id=rule.id)
    if not rule.is_trusted or intent.probability < rule.least_probability:
        return Routing(queue_id=None, reason="shadow", rule_id=rule.id)
    return Routing(queue_id=rule.queue_id, reason="rule", rule_id=rule.id)


def intent_urgency(*, intent: Prediction | None, rule: RouteRule | None) -> int:
    """Base urgency (0–40) of the predicted intent; 10 where the model abstained or nobody wrote a rule."""
    return DEFAULT_URGENCY if intent is None or intent.abstained or rule is None else rule.urgency
