"""Trust: precision per intent and confidence, and what it takes to be believed."""

from __future__ import annotations

import pytest

from app.core.interval import Z95_ONE_SIDED, interval
from app.desk.decide.routing_trust import report
from app.desk.domain.routing_rule import Judged


def rows(n: int, *, probability: float, is_right: bool | None, intent: str = "get_refund") -> list[Judged]:
    return [
        Judged(task="t", intent=intent, probability=probability, abstained=False, is_right=is_right) for _ in range(n)
    ]


def test_an_intent_is_ready_from_the_confidence_that_keeps_the_precision() -> None:
    said = rows(60, probability=0.95, is_right=True) + rows(20, probability=0.7, is_right=False)
    found = report([*said, *rows(20, probability=0.96, is_right=None)], precision=0.9)
    (one,) = found.intents
    assert one.suggested is not None
    assert (one.suggested.least, one.suggested.n, one.suggested.precision) == (0.8, 80, 1.0)
    assert one.steps[0].precision == 0.75
    assert (found.n, found.n_judged, found.n_automated, found.automated_rate) == (100, 80, 80, 0.8)


@pytest.mark.parametrize(("n", "expected"), [(9, False), (30, True)])
def test_a_few_judgements_are_not_believed(n: int, expected: bool) -> None:
    (one,) = report(rows(n, probability=0.9, is_right=True), precision=0.9).intents
    assert (one.suggested is not None) is expected


def test_what_abstained_or_fits_nothing_is_never_automated() -> None:
    out = rows(50, probability=0.99, is_right=True, intent="out_of_scope")
    abstained = [Judged(task="t", intent="get_refund", probability=0.9, abstained=True, is_right=True)] * 50
    found = report([*out, *abstained], precision=0.9)
    assert (found.n, found.n_automated, found.intents) == (100, 0, ())


def test_wilsons_bound() -> None:
    low = {k: interval(k, n, z=Z95_ONE_SIDED)[0] for k, n in ((28, 28), (0, 0), (5, 10), (9, 10))}
    # 28 of 28: n / (n + z²).
    assert low[28] == pytest.approx(28 / (28 + 1.6449**2))
    assert low[0] == 0.0
    assert low[5] < 0.5 < low[9]
