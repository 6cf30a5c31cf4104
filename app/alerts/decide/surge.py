"""The improbability of a window, and the guards of a surge of bad news.

    surge    (2 − v) S + min(v S, −log₁₀ P_NB(negative count)), 0 unless all guards hold
             S = −log₁₀(P_BB(share) × windows of this length in 8 h), v = 0.5
    volume   −log₁₀ P_NB(stories)

The number of stories may add a third of what the share says, no more: with a greater weight a burst of ordinary news
is told more often than other hours are. Several window lengths are judged side by side and the highest score counts;
short windows are many, and so one of them has to be less likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.alerts.decide import tail_probabilities
from app.alerts.decide.count_grid import Array
from app.alerts.decide.robust_fit import Baseline
from app.core.durations import DAY_MS, HOUR_MS

Flags = NDArray[np.bool_]

QUARTER_MS = HOUR_MS // 4
WINDOWS_MS = (QUARTER_MS, HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, DAY_MS)
MOST_WINDOWS = 3
VOLUME_WEIGHT = 0.5
LEAST_EXPECTED = 15.0
"""Stories that a window should usually have, so that a share can be told from chance."""

RARE_A_DAY = LEAST_EXPECTED * DAY_MS / WINDOWS_MS[2]
"""A subject of fewer stories a day cannot show a surge of hours: a rule for every mention serves it better."""

LEAST_LIFT, LEAST_RISE = 1.15, 0.08
LEAST_STORIES, LEAST_NEGATIVE = 5, 5


@dataclass(frozen=True, kw_only=True)
class Guards:
    """The least that a surge must have, whatever its probability."""

    stories: float = LEAST_STORIES
    negative: float = LEAST_NEGATIVE
    lift: float = LEAST_LIFT
    rise: float = LEAST_RISE


GUARDS = Guards()


def windows_for(stories_a_day: float, *, bin_ms: int = QUARTER_MS, is_daily: bool = False) -> tuple[int, ...]:
    """Return the window lengths (ms) for the share: the shortest with 15 usual stories, and two longer ones up to 8 h.

    8 hours and a day for a rare topic, a day where posts only have a date. None is shorter than the bins.
    """
    if is_daily:
        return WINDOWS_MS[-1:]
    if stories_a_day < RARE_A_DAY:
        return WINDOWS_MS[-2:]
    known = [window for window in WINDOWS_MS[:-1] if window >= bin_ms]
    return tuple(window for window in known if stories_a_day * window / DAY_MS >= LEAST_EXPECTED)[:MOST_WINDOWS]


def volume_windows(*, bin_ms: int = QUARTER_MS, is_daily: bool = False) -> tuple[int, ...]:
    """Return the window lengths (ms) for the number of stories, which needs no least number to differ from chance."""
    return WINDOWS_MS[-1:] if is_daily else tuple(window for window in WINDOWS_MS[:2] if window >= bin_ms)


def surge_scores(stories: Array, negative: Array, *, baseline: Baseline, expected: Array, window_ms: int) -> Array:
    """Return the scores [s, t] of windows with so many stories and negative ones; `expected` stories are usual."""
    share, count = surge_parts(stories, negative, baseline=baseline, expected=expected)
    return combined_score(share, count, window_ms=window_ms)


def combined_score(share: Array, count: Array, *, window_ms: int) -> Array:
    """Return the score of a window of this length from its share and its number of negative stories."""
    n_windows = max(1.0, WINDOWS_MS[-2] / window_ms)
    said = np.maximum(share - np.log10(n_windows), 0.0)
    score: Array = (2.0 - VOLUME_WEIGHT) * said + np.minimum(VOLUME_WEIGHT * said, count)
    return score


def surge_parts(stories: Array, negative: Array, *, baseline: Baseline, expected: Array) -> tuple[Array, Array]:
    """Return −log₁₀ P of the share and of the negative count [s, t], both 0 where the share is not above the usual."""
    above = negative > baseline.share[:, None] * stories
    share, count = np.zeros_like(stories), np.zeros_like(stories)
    row = np.nonzero(above)[0]
    if row.size:
        k, usual = negative[above], baseline.share[row]
        share[above] = tail_probabilities.beta_binomial(k, stories[above], share=usual, rho=baseline.rho[row])
        count[above] = tail_probabilities.negative_binomial(
            k, mean=expected[above] * usual, phi=baseline.phi_negative[row]
        )
    return share, count


def passes(stories: Array, negative: Array, *, share: Array, recent: Array, guards: Guards = GUARDS) -> Flags:
    """Return True [s, t] for windows that have the least that a surge must have.

    `share` [s] is the usual one, `recent` the negative stories of the window and the three before it.
    """
    usual = share[:, None]
    seen = negative / np.maximum(stories, 1e-9)
    return (
        (stories >= guards.stories)
        & (recent >= guards.negative)
        & (seen >= guards.lift * usual)
        & (seen >= usual + guards.rise)
    )


def volume_scores(stories: Array, *, baseline: Baseline, expected: Array) -> Array:
    """Return −log₁₀ P of the number of stories [s, t], 0 where there are fewer than usual."""
    more = stories > expected
    scores = np.zeros_like(stories)
    row = np.nonzero(more)[0]
    if row.size:
        scores[more] = tail_probabilities.negative_binomial(stories[more], mean=expected[more], phi=baseline.phi[row])
    return scores
