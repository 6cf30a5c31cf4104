"""Routing rules: conditions as a table, order, stop, and rules that would never come to rest."""

from __future__ import annotations

from typing import Any

import pytest

from app.desk.decide.routing_rules import circle, holds, matches_itself, routed_by, run
from app.desk.domain.routing_rule import Condition, Facts, RoutingAction, RoutingRule

FACTS = Facts(
    queue="intake",
    intent="get_refund",
    sentiment="negative",
    tier="business",
    probability=0.8,
    urgency=60,
    text="I want my Money back",
)


def rule(name: str, *conditions: tuple[Any, Any, str], to: str = "", stop: bool = True, **more: Any) -> RoutingRule:
    actions = more.pop("actions", ()) or (RoutingAction(type="route", value=to),)
    made = tuple(Condition(field=f, operator=o, value=v) for f, o, v in conditions)
    return RoutingRule(id=len(name), name=name, conditions=made, actions=actions, is_stop=stop, is_active=True, **more)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("intent", "is", "get_refund"), True),
        (("intent", "is", "track_order, GET_REFUND"), True),
        (("intent", "is_not", "get_refund"), False),
        (("needs_person", "is", "1"), False),
        (("needs_person", "is", "0"), True),
        (("probability", "at_least", "0.8"), True),
        (("probability", "below", "0.8"), False),
        (("urgency", "at_least", "61"), False),
        (("text", "contains", "money"), True),
        (("text", "contains", "invoice, lawyer"), False),
    ],
)
def test_a_condition(condition: tuple[Any, Any, str], expected: bool) -> None:
    assert holds(rule("x", condition, to="refunds"), facts=FACTS) is expected


def test_all_conditions_must_hold_and_none_is_not_all() -> None:
    assert not holds(rule("x", ("intent", "is", "get_refund"), ("tier", "is", "plus"), to="r"), facts=FACTS)
    assert not holds(rule("x", to="r"), facts=FACTS)


def test_rules_are_asked_in_order_and_a_stop_ends_it() -> None:
    first = rule("first", ("tier", "is", "business"), actions=(RoutingAction(type="add_tag", value="vip"),), stop=False)
    second = rule("second", ("intent", "is", "get_refund"), to="refunds")
    third = rule("third", ("queue", "is", "refunds"), to="cards")
    found = run([first, second, third], facts=FACTS)
    assert [one.name for one in found.hits] == ["first", "second"]
    assert (found.facts.queue, found.facts.tags) == ("refunds", ("vip",))
    assert routed_by(found.hits) == second
    going_on = run(
        [first, rule("second", ("intent", "is", "get_refund"), to="refunds", stop=False), third], facts=FACTS
    )
    assert going_on.facts.queue == "cards"


def test_rules_that_never_come_to_rest_are_found() -> None:
    assert matches_itself(rule("x", ("queue", "is", "intake, refunds"), to="refunds"))
    assert not matches_itself(rule("x", ("queue", "is", "intake"), to="refunds"))
    there = rule("there", ("queue", "is", "intake"), to="refunds")
    on = rule("on", ("queue", "is", "refunds"), to="cards")
    back = rule("back", ("queue", "is", "cards"), to="intake")
    assert circle([there, on]) == ()
    assert set(circle([there, on, back])) == {"there", "on", "back"}
