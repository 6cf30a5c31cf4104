from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.evaluate.intervals import Rows, bootstrap_interval, bootstrap_intervals, paired_difference


def _share(of: np.ndarray) -> Callable[[Rows], float]:
    return lambda rows: float(of[rows].mean())


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        values = rng.random(120) < 0.8
        found = bootstrap_interval(_share(values), n=120, draws=300)
        held += found.low <= 0.8 <= found.high
    assert held >= 52


def test_paired_rows_show_what_unpaired_intervals_hide() -> None:
    rng = np.random.default_rng(1)
    first = rng.random(600) < 0.8
    second = first | (rng.random(600) < 0.1)

    one, two = (bootstrap_interval(_share(of), n=600) for of in (first, second))
    found = paired_difference(_share(first), second=_share(second), n=600)
    assert one.high > two.low
    assert found.verdict == "better"
    assert found.value == pytest.approx(second.mean() - first.mean())
    assert paired_difference(_share(second), second=_share(first), n=600).verdict == "worse"
    same = paired_difference(_share(first), second=_share(first), n=600)
    assert (same.value, same.low, same.high, same.verdict, same.better) == (0, 0, 0, "undecided", 0.5)


def test_draws_are_seeded_and_shared_by_several_figures() -> None:
    values = np.random.default_rng(2).random(50)

    def figures(rows: Rows) -> dict[str, float]:
        return {"mean": float(values[rows].mean()), "most": float(values[rows].max())}

    found = bootstrap_intervals(figures, n=50, names=("mean", "most"), draws=100)
    assert found["mean"] == bootstrap_interval(lambda rows: figures(rows)["mean"], n=50, draws=100)
    assert found["most"].high == values.max()
