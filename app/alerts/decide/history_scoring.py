"""Scores of stored history: every window of every subject, each day by the baseline of the night before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.alerts.decide.count_grid import Array, Grid, rolled
from app.alerts.decide.robust_fit import fit, usual_rate
from app.alerts.decide.surge import LEAST_STORIES, Flags, passes, surge_scores, volume_scores
from app.alerts.decide.threshold_calibration import FLOOR, law

Measure = Literal["surge", "volume"]

GUARD_DAYS, BASELINE_DAYS, LEAST_DAYS = 2, 28, 7
LAW_DAYS = 28


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Scores [s, t] of a stretch of history, and the bins in which the guards hold."""

    scores: Array
    passes: Flags

    def alarms(self, thresholds: Array) -> Flags:
        """Return True [s, t] where a score reaches its threshold and the guards hold."""
        return (self.scores >= thresholds) & self.passes


def history(
    grid: Grid,
    *,
    widths: Sequence[int],
    first_day: int = 0,
    is_hourly: bool = True,
    measure: Measure = "surge",
) -> Scored:
    """Return the scores of the windows of a grid that end in its days from `first_day` on.

    A baseline sees the 28 days that end two days before its night. Days too early to have one of seven days are
    scored by the first baseline there is.
    """
    a_day = grid.bins_a_day
    n_days = -(-grid.n_bins // a_day)
    days = [
        _day(grid, day, n_days=n_days, widths=widths, is_hourly=is_hourly, measure=measure)
        for day in range(first_day, n_days)
    ]
    return Scored(
        scores=np.concatenate([one.scores for one in days], axis=1),
        passes=np.concatenate([one.passes for one in days], axis=1),
    )


def _day(grid: Grid, day: int, *, n_days: int, widths: Sequence[int], is_hourly: bool, measure: Measure) -> Scored:
    a_day = grid.bins_a_day
    night = max(day, min(LEAST_DAYS + GUARD_DAYS, n_days))
    past = slice(max(0, night - GUARD_DAYS - BASELINE_DAYS) * a_day, max(1, night - GUARD_DAYS) * a_day)
    today = slice(day * a_day, min((day + 1) * a_day, grid.n_bins))
    rate = usual_rate(grid.stories[:, past], slots=grid.slots[past], is_hourly=is_hourly)
    found = [_judged(grid, past=past, today=today, width=width, rate=rate, measure=measure) for width in widths]
    return Scored(
        scores=np.max([one.scores for one in found], axis=0), passes=np.any([one.passes for one in found], axis=0)
    )


def _judged(grid: Grid, *, past: slice, today: slice, width: int, rate: Array, measure: Measure) -> Scored:
    baseline = fit(grid.stories[:, past], grid.negative[:, past], slots=grid.slots[past], width=width, rate=rate)
    near = slice(max(0, today.start - 4 * width + 1), today.stop)
    within = slice(today.start - near.start, None)
    stories = rolled(grid.stories[:, near], width)[:, within]
    expected = baseline.expected(grid.slots[near])[:, within]
    if measure == "volume":
        return Scored(
            scores=volume_scores(stories, baseline=baseline, expected=expected), passes=stories >= LEAST_STORIES
        )
    negative = rolled(grid.negative[:, near], width)[:, within]
    recent = rolled(grid.negative[:, near], 4 * width)[:, within]
    return Scored(
        scores=surge_scores(stories, negative, baseline=baseline, expected=expected, window_ms=width * grid.bin_ms),
        passes=passes(stories, negative, share=baseline.share, recent=recent),
    )


def daily_maxima(scores: Array, *, bins_a_day: int) -> Array:
    """Return the highest peak [s, d] of each whole day; a peak is the highest score of the 6 hours before and after it.

    A surge over midnight counts for one day, as it is one alarm. NaN is a day without a peak.
    """
    n_days, around = scores.shape[1] // bins_a_day, bins_a_day // 4
    padded = np.pad(scores, ((0, 0), (around, around)), constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1, axis=1).max(axis=2)
    peaks = np.where(scores >= highest, scores, -np.inf)
    days: Array = peaks[:, : n_days * bins_a_day].reshape(-1, n_days, bins_a_day).max(axis=2)
    return np.where(np.isfinite(days), days, np.nan)


def thresholds(
    scored: Scored, *, alarms_a_day: float, bins_a_day: int, measure: Measure = "surge", floor: float = FLOOR
) -> Array:
    """Return the threshold [s, t] in force at each bin of a history, set every night by the 28 days before it."""
    maxima = daily_maxima(scored.scores, bins_a_day=bins_a_day)
    found = np.empty_like(scored.scores)
    for day in range(-(-found.shape[1] // bins_a_day)):
        known = law(maxima[:, max(0, day - LAW_DAYS) : day], is_trimming=measure == "surge")
        found[:, day * bins_a_day : (day + 1) * bins_a_day] = known.thresholds(alarms_a_day, floor=floor)[:, None]
    return found


def notifications(alarms: Flags, *, merge: int, repeat: int) -> list[int]:
    """Return the bins of one subject's alarms [t] at which a notification goes out.

    An alarm within `merge` bins of the one before is the same; one that goes on is repeated after `repeat` bins.
    """
    told: list[int] = []
    last = -merge - 1
    for index in np.flatnonzero(alarms).tolist():
        if index - last > merge or index - told[-1] >= repeat:
            told.append(index)
        last = index
    return told
