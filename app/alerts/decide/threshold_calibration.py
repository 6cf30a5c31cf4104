"""Thresholds that keep a rate of false alarms, calibrated on each subject's own daily maxima.

Maxima of a day follow a Gumbel law, P(max > t) = 1 − exp(−Λ), Λ = exp(−(t − μ)/β) alarms a day, so that Λ alarms a
day ask for t = μ − β ln Λ. μ and β are fitted to the middle of the ordered maxima alone (least squares of the quantiles
between 20 % and 80 %), and days beyond what the law would show once in as many days are left out and the rest fitted
again: true surges stand at the upper end and must not raise the threshold, of one subject or of all. Volume alone has
no such line between an ordinary burst and a surge, so there nothing is left out. Each subject's law is drawn to the law
of all as if it had seen `PRIOR_DAYS` more days of everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.alerts.decide.count_grid import Array

LOWEST, HIGHEST = 0.2, 0.8
ROUNDS = 4
PRIOR_DAYS = 28.0
ENOUGH_DAYS = 14
PRIOR_LOCATION, PRIOR_SCALE = 2.0, 0.9
"""Before 14 days are known: about twice the scale that independent p-values would have (1 / ln 10 = 0.43)."""

FLOOR = 3.0
"""No threshold is below a probability of one in a thousand."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """Gumbel location and scale [s] of the daily maxima, and the days [s] that they were learnt from."""

    location: Array
    scale: Array
    n_days: Array

    def thresholds(self, alarms_a_day: Array | float, *, floor: float = FLOOR) -> Array:
        """Return the score [s] that is passed so often, never below the floor."""
        return gumbel_threshold(self.location, self.scale, alarms_a_day=alarms_a_day, floor=floor)


def gumbel_threshold(
    location: Array | float, scale: Array | float, *, alarms_a_day: Array | float, floor: float = FLOOR
) -> Array:
    """Return the score that daily maxima of this Gumbel law pass so often, never below the floor."""
    found: Array = np.maximum(floor, location - scale * np.log(np.maximum(alarms_a_day, 1e-12)))
    return found


def law(maxima: Array, *, is_trimming: bool = True) -> Law:
    """Return the law of daily maxima [s, d], NaN for a day without a score; the prior before 14 days are known."""
    n_rounds = ROUNDS if is_trimming else 1
    n_days = np.isfinite(maxima).sum(axis=1)
    if n_days.max(initial=0) < ENOUGH_DAYS:
        return prior(len(maxima), n_days=n_days)
    pooled = _fitted(maxima.ravel(), n_rounds=n_rounds, once_in=maxima.shape[1]) or (PRIOR_LOCATION, PRIOR_SCALE)
    own = [_fitted(row, n_rounds=n_rounds) or pooled for row in maxima]
    weight = n_days / (n_days + PRIOR_DAYS) if len(maxima) > 1 else np.ones(1)
    location = weight * np.array([one[0] for one in own]) + (1 - weight) * pooled[0]
    scale = weight * np.array([one[1] for one in own]) + (1 - weight) * pooled[1]
    return Law(location=location, scale=scale, n_days=n_days)


def prior(n_subjects: int, *, n_days: Array) -> Law:
    """Return the conservative law of subjects whose own is not known yet."""
    ones = np.ones(n_subjects)
    return Law(location=PRIOR_LOCATION * ones, scale=PRIOR_SCALE * ones, n_days=n_days)


def _fitted(maxima: Array, *, n_rounds: int, once_in: int | None = None) -> tuple[float, float] | None:
    """Return the location and scale of maxima, without outliers: days above the score of one day in `once_in`.

    By default `once_in` is the number of days, so that one subject loses a day or none. Over the days of all subjects
    the part that is left out is known, and the quantiles allow for it. Returns None before 14 days are known.
    """
    ordered = np.sort(maxima[np.isfinite(maxima)])
    if len(ordered) < ENOUGH_DAYS:
        return None
    found, kept, part = (0.0, 1.0), ordered, 1.0
    for _ in range(n_rounds):
        position = part * (np.arange(len(kept)) + 0.5) / len(kept)
        middle = (position >= LOWEST) & (position <= HIGHEST)
        scale, location = np.polyfit(-np.log(-np.log(position[middle])), kept[middle], 1)
        found = float(location), max(float(scale), 0.05)
        judged = ordered if once_in else kept
        ordinary = judged[judged <= found[0] + found[1] * np.log(once_in or len(kept))]
        if len(ordinary) == len(kept):
            break
        kept, part = ordinary, 1.0 - 1.0 / once_in if once_in else 1.0
    return found
