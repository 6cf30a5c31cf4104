"""Where a ticket goes: the predicted intent chooses a rule, the rule names the queue."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.prediction import OUT_OF_SCOPE, Prediction
from app.desk.domain.ticket import RouteRule, Routing


def rule_for(intent: str, *, task: str, rules: Sequence[RouteRule]) -> RouteRule | None:
    """The first rule of this task's intent; None when nobody wrote one."""
    return next((rule for rule in rules if rule.task == task and rule.intent == intent), None)


def route(*, intent: Prediction | None, rules: Sequence[RouteRule], is_enabled: bool) -> Routing:
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
    rule = rule_for(intent.label, task=intent.task, rules=rules)
    if rule is None:
        return Routing(queue_id=None, reason="no_rule")
    if rule.queue_id is None:
        return Routing(queue_id=None, reason="rule_without_queue", rule_id=rule.id)
    if not is_enabled:
        return Routing(queue_id=None, reason="routing_off", rule_id=rule.id)
    if not rule.is_trusted or intent.probability < rule.least_probability:
        return Routing(queue_id=None, reason="shadow", rule_id=rule.id)
    return Routing(queue_id=rule.queue_id, reason="rule", rule_id=rule.id)


def intent_urgency(*, intent: Prediction | None, rules: Sequence[RouteRule]) -> int:
    """Base urgency (0–40) of the predicted intent; 10 where the model abstained or no rule tells."""
    if intent is None or intent.abstained:
        return DEFAULT_URGENCY
    rule = rule_for(intent.label, task=intent.task, rules=rules)
    return DEFAULT_URGENCY if rule is None else rule.urgency


DEFAULT_URGENCY = 10
