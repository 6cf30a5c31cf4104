"""How sure a figure is: the bootstrap over rows (Efron 1979), percentile intervals, seeded.

Rows are drawn with replacement as often as there are rows; the figure of each draw is kept. `paired` draws the same
rows for two models, which is what "A beats B" needs: rows that are hard for both do not widen the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 1000
SHARE = 0.95

Rows = npt.NDArray[np.int64]
Figure = Callable[[Rows], float]


@dataclass(frozen=True)
class Interval:
    """A figure on all rows, and where 95 % of its draws lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """Second minus first; `better` is the share of draws in which the second is ahead."""

    better: float

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `undecided` where the interval holds zero."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "undecided"

    def row(self) -> dict[str, float | str]:
        """As plain values, rounded, with the verdict."""
        return {name: round(value, 5) for name, value in asdict(self).items()} | {"verdict": self.verdict}


def bootstrap_interval(figure: Figure, *, n: int, seed: int = 0, draws: int = DRAWS) -> Interval:
    """The 95 % interval of a figure of `n` rows; `figure` gets row numbers."""
    found = np.asarray([figure(rows) for rows in _draw_rows(n, seed=seed, draws=draws)])
    return Interval(figure(np.arange(n)), *_percentiles(found))


def bootstrap_intervals(
    figures: Callable[[Rows], Mapping[str, float]], *, n: int, names: Iterable[str], seed: int = 0, draws: int = DRAWS
) -> dict[str, Interval]:
    """The 95 % intervals of several figures from the same draws."""
    found, whole = [figures(rows) for rows in _draw_rows(n, seed=seed, draws=draws)], figures(np.arange(n))
    return {name: Interval(whole[name], *_percentiles(np.asarray([row[name] for row in found]))) for name in names}


def paired_difference(first: Figure, *, second: Figure, n: int, seed: int = 0, draws: int = DRAWS) -> Difference:
    """The difference second − first on the same `n` rows, with its 95 % interval."""
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
