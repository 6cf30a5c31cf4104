"""Bootstrap intervals of figures over test rows: percentile intervals with a fixed seed (Efron 1979).

Each draw takes n of the n rows with replacement and computes the figure on them. The paired bootstrap takes the same
rows for two models, so that rows which are hard for both do not widen the interval of their difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.evaluate.figures import DifferenceRow

DRAWS = 1000
SHARE = 0.95

Rows = npt.NDArray[np.int64]
Figure = Callable[[Rows], float]


@dataclass(frozen=True)
class Interval:
    """The value of a figure on all rows, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """Second minus first figure; `better` is the share of draws in which the second is ahead."""

    better: float

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `undecided` if the interval includes zero."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "undecided"

    def row(self) -> DifferenceRow:
        """Return the rounded values with the verdict, as JSON stores them."""
        return DifferenceRow(
            value=round(self.value, 5),
            low=round(self.low, 5),
            high=round(self.high, 5),
            better=round(self.better, 5),
            verdict=self.verdict,
        )


def bootstrap_interval(figure: Figure, *, n: int, seed: int = 0, draws: int = DRAWS) -> Interval:
    """Return the 95 % interval of a figure over `n` rows; `figure` takes row indices."""
    found = np.asarray([figure(rows) for rows in _draw_rows(n, seed=seed, draws=draws)])
    return Interval(figure(np.arange(n)), *_percentiles(found))


def bootstrap_intervals(
    figures: Callable[[Rows], Mapping[str, float]], *, n: int, names: Iterable[str], seed: int = 0, draws: int = DRAWS
) -> dict[str, Interval]:
    """Return the 95 % intervals of several figures, computed on the same draws."""
    found, whole = [figures(rows) for rows in _draw_rows(n, seed=seed, draws=draws)], figures(np.arange(n))
    return {name: Interval(whole[name], *_percentiles(np.asarray([row[name] for row in found]))) for name in names}


def paired_difference(first: Figure, *, second: Figure, n: int, seed: int = 0, draws: int = DRAWS) -> Difference:
    """Return the difference second - first on the same `n` rows, with its 95 % interval."""
    found = np.asarray([second(rows) - first(rows) for rows in _draw_rows(n, seed=seed, draws=draws)])
    every = np.arange(n)
    better = float((found > 0).mean() + (found == 0).mean() / 2)
    return Difference(second(every) - first(every), *_percentiles(found), better)


def _draw_rows(n: int, *, seed: int, draws: int) -> list[Rows]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, n, n) for _ in range(draws)]


def _percentiles(found: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(found, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)
