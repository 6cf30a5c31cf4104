"""Rules of conditions and actions: asked in order, each once; a later one sees what the earlier ones did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from app.desk.domain.routing_rule import Condition, Facts, RoutingRule, Ruled
from app.desk.domain.ticket import Priority

_TRUE = frozenset({"1", "true", "yes"})


def run(rules: Sequence[RoutingRule], *, facts: Facts) -> Ruled:
    """The facts after one pass of the active rules, and the rules that held."""
    hits: list[RoutingRule] = []
    now = facts
    for rule in rules:
        if not rule.is_active or not holds(rule, facts=now):
            continue
        now = done(rule, facts=now)
        hits.append(rule)
        if rule.is_stop:
            break
    return Ruled(facts=now, hits=tuple(hits))


def holds(rule: RoutingRule, *, facts: Facts) -> bool:
    """Return True when all conditions of a rule hold; a rule without conditions never holds."""
    return bool(rule.conditions) and all(_CHECKS[one.operator](one, facts) for one in rule.conditions)


def done(rule: RoutingRule, *, facts: Facts) -> Facts:
    """The facts after a rule's actions."""
    for action in rule.actions:
        if action.type == "route":
            facts = replace(facts, queue=action.value)
        elif action.type == "set_priority":
            facts = replace(facts, priority=cast(Priority, action.value))
        elif action.value not in facts.tags:
            facts = replace(facts, tags=(*facts.tags, action.value))
    return facts


def _values(condition: Condition) -> set[str]:
    return {part.strip().lower() for part in condition.value.split(",") if part.strip()}


def _is(condition: Condition, facts: Facts) -> bool:
    found = getattr(facts, condition.field)
    if isinstance(found, bool):
        return found == (condition.value.strip().lower() in _TRUE)
    return str(found).lower() in _values(condition)


def _number(condition: Condition, facts: Facts) -> tuple[float, float]:
    return float(getattr(facts, condition.field)), float(condition.value)


def _at_least(condition: Condition, facts: Facts) -> bool:
    found, wanted = _number(condition, facts)
    return found >= wanted


def _below(condition: Condition, facts: Facts) -> bool:
    found, wanted = _number(condition, facts)
    return found < wanted


def _contains(condition: Condition, facts: Facts) -> bool:
    return any(word in facts.text.lower() for word in _values(condition))


_CHECKS: Mapping[str, Callable[[Condition, Facts], bool]] = {
    "is": _is,
    "is_not": lambda condition, facts: not _is(condition, facts),
    "at_least": _at_least,
    "below": _below,
    "contains": _contains,
}


def matches_itself(rule: RoutingRule) -> bool:
    """Return True for a rule that moves tickets to a queue that it takes tickets from, and so matches them again."""
    targets = {action.value for action in rule.actions if action.type == "route"}
    return bool(targets & sources(rule))


def sources(rule: RoutingRule) -> set[str]:
    """The queues that a rule names as those it takes tickets from; empty when it takes them from anywhere."""
    return {value for one in rule.conditions if (one.field, one.operator) == ("queue", "is") for value in _values(one)}


def circle(rules: Sequence[RoutingRule]) -> tuple[str, ...]:
    """The names of rules that hand tickets round in a circle of queues, in order; empty when there is no circle."""
    edges = [
        (source, action.value, rule.name)
        for rule in rules
        for source in sorted(sources(rule))
        for action in rule.actions
        if action.type == "route"
    ]
    for start, _, _ in edges:
        found = _round(start, edges=edges)
        if found:
            return found
    return ()


def _round(start: str, *, edges: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    waiting: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    seen: set[str] = set()
    while waiting:
        here, names = waiting.pop()
        for source, target, name in edges:
            if source != here:
                continue
            if target == start:
                return (*names, name)
            if target not in seen:
                seen.add(target)
                waiting.append((target, (*names, name)))
    return ()


def routed_by(hits: Sequence[RoutingRule]) -> RoutingRule | None:
    """The rule that had the last word on the queue."""
    return next((rule for rule in reversed(hits) if any(one.type == "route" for one in rule.actions)), None)
