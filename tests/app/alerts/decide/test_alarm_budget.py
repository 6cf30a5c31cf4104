"""The dashboard's budget: what its rules may raise adds up to no more than it allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.alerts.decide.alarm_budget import shared
from app.alerts.domain.alert import Rule
from app.alerts.domain.false_alarms import Measured

SURGES = [Rule(id=1, name="a", kind="surge", budget=1.0), Rule(id=2, name="b", kind="volume", budget=3.0)]


def test_rules_keep_their_own_budgets_while_there_is_room() -> None:
    assert [one.budget for one in shared(SURGES, a_week=5.0)] == [1.0, 3.0]


def test_what_is_too_much_together_is_shared_in_proportion() -> None:
    assert [one.budget for one in shared(SURGES, a_week=2.0)] == [0.5, 1.5]


def test_rules_that_are_off_or_have_no_budget_take_no_share() -> None:
    others = [
        Rule(id=3, name="c", kind="surge", budget=9.0, is_active=False),
        Rule(id=4, name="d", kind="threshold", budget=9.0),
    ]
    found = shared([*SURGES, *others], a_week=4.0)
    assert [one.budget for one in found[:2]] == [1.0, 3.0]
    assert found[3].budget == 9.0


@given(st.lists(st.floats(0.01, 1000), max_size=8), st.floats(0.01, 1000))
def test_the_sum_never_passes_the_budget(budgets: list[float], a_week: float) -> None:
    rules = [Rule(id=n, name=str(n), kind="surge", budget=budget) for n, budget in enumerate(budgets, start=1)]
    found = shared(rules, a_week=a_week)
    assert sum(one.budget for one in found) <= a_week * (1 + 1e-9)
    assert all(one.budget <= was.budget for one, was in zip(found, rules, strict=True))


def test_what_nobody_judged_lies_between_useful_and_false() -> None:
    found = Measured(weeks=4.0, n_fired=10, n_false=2, n_useful=5)
    assert (found.n_open, found.low, found.high) == (3, 0.5, 1.25)
