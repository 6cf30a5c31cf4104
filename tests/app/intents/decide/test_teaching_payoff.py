"""The answers to doubtful texts say when asking stops paying."""

from __future__ import annotations

import pytest

from app.core.interval import interval
from app.intents.decide.teaching_payoff import payoff
from app.intents.domain import Asked


@pytest.mark.parametrize(
    ("n_right", "n", "verdict", "n_missing"),
    [
        (0, 0, "too_few", 20),
        (19, 19, "too_few", 1),
        (12, 20, "pays", 0),
        # All of twenty are not enough to believe nine in ten; all of forty are.
        (20, 20, "pays", 0),
        (40, 40, "stops", 0),
        (90, 100, "pays", 0),
        (192, 200, "stops", 0),
    ],
)
def test_teaching_stops_paying_once_nine_in_ten_are_right_for_certain(
    n_right: int, n: int, verdict: str, n_missing: int
) -> None:
    found = payoff(Asked(model="m@1", n=n, n_right=n_right))
    assert (found.verdict, found.n_missing) == (verdict, n_missing)


def test_the_interval_is_wilsons() -> None:
    # 8 of 10: 0.4902 to 0.9433 (Brown, Cai and DasGupta 2001, section 3.1.1 gives the formula).
    low, high = interval(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(5, 5)[1] == 1.0
