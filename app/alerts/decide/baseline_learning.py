"""Baselines: learnt from stored hours, and what happens now is judged by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.alerts.decide.count_grid import Array, Grid, Slots, hours_of_week
from app.alerts.decide.history_scoring import BASELINE_DAYS, GUARD_DAYS, LAW_DAYS, LEAST_DAYS, daily_maxima, history
from app.alerts.decide.robust_fit import Baseline, fit, usual_rate
from app.alerts.decide.surge import (
    LEAST_STORIES,
    combined_score,
    passes,
    surge_parts,
    volume_scores,
    volume_windows,
    windows_for,
)
from app.alerts.decide.threshold_calibration import gumbel_threshold, law
from app.alerts.domain.baseline import Counts, Measure, Usual
from app.core.durations import HOUR_MS
from app.market.domain.market import SubjectKind

HISTORY_DAYS = BASELINE_DAYS + GUARD_DAYS + LAW_DAYS
SUBJECTS_AT_ONCE = 200
DAILY_PART = 0.9
"""From this part of the stories at one time of the day on, posts are taken to have a date and no time."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One subject's most improbable window; all three figures are −log₁₀ of a probability, and `score` decides."""

    usual: Usual
    counts: Counts
    since: int
    until: int
    expected: float
    share: float
    count: float
    score: float
    is_enough: bool


@dataclass(frozen=True, kw_only=True)
class _Fit:
    row: int
    window: int
    is_daily: bool
    rate: Array
    share: float
    rho: float
    phi: float


def learn(
    grid: Grid, *, subject_kind: SubjectKind, subject_ids: Sequence[str], measure: Measure, now: int
) -> list[Usual]:
    """Return the baselines of each subject of an hourly grid of whole days; none before seven days are known."""
    if grid.n_bins < LEAST_DAYS * 24 or not subject_ids:
        return []
    a_day = grid.stories.sum(axis=1) / _days_known(grid)
    maxima = np.full((grid.n_subjects, LAW_DAYS), np.nan)
    fits: list[_Fit] = []
    for (is_daily, windows), rows in group_rows(grid, measure=measure).items():
        for start in range(0, len(rows), SUBJECTS_AT_ONCE):
            some = rows[start : start + SUBJECTS_AT_ONCE]
            some_of = select_rows(grid, some, is_daily=is_daily)
            highest = _maxima(some_of, windows=windows, is_daily=is_daily, measure=measure)
            maxima[some, -highest.shape[1] :] = highest
            for window in windows:
                fits += _fits(some_of, rows=some, grid=grid, window=window, is_daily=is_daily, measure=measure)
    known = law(maxima, is_trimming=measure == "surge")
    return [
        Usual(
            subject_kind=subject_kind,
            subject_id=subject_ids[one.row],
            measure=measure,
            width_ms=one.window,
            rate=tuple(one.rate.tolist()),
            share=one.share,
            rho=one.rho,
            phi=one.phi,
            location=float(known.location[one.row]),
            scale=float(known.scale[one.row]),
            n_days=int(known.n_days[one.row]),
            stories_a_day=float(a_day[one.row]),
            is_daily=one.is_daily,
            fitted_at=now,
        )
        for one in fits
    ]


def _days_known(grid: Grid) -> Array:
    """Return the days [s] since each subject was first heard of."""
    heard = grid.stories > 0
    first = np.where(heard.any(axis=1), heard.argmax(axis=1), grid.n_bins - 1)
    days: Array = np.maximum((grid.n_bins - first) / 24, 1.0)
    return days


def group_rows(grid: Grid, *, measure: Measure) -> dict[tuple[bool, tuple[int, ...]], list[int]]:
    """Return rows by whether their posts only have dates, and by window lengths, none below an hour."""
    a_day = grid.stories.sum(axis=1) / _days_known(grid)
    groups: dict[tuple[bool, tuple[int, ...]], list[int]] = defaultdict(list)
    for row, is_daily in enumerate(_are_daily(grid).tolist()):
        windows = (
            windows_for(a_day[row], bin_ms=grid.bin_ms, is_daily=is_daily)
            if measure == "surge"
            else volume_windows(bin_ms=grid.bin_ms, is_daily=is_daily)
        )
        groups[is_daily, windows].append(row)
    return groups


def _are_daily(grid: Grid) -> NDArray[np.bool_]:
    """Return True [s] for subjects with nearly all stories in one hour of the day: their posts have a date and no time.

    With daylight saving time, midnight of the feed's zone falls into one of two neighbouring hours of UTC.
    """
    by_hour = np.stack([grid.stories[:, grid.slots % 24 == hour].sum(axis=1) for hour in range(24)], axis=1)
    total = by_hour.sum(axis=1)
    in_two = by_hour + np.roll(by_hour, -1, axis=1)
    found: NDArray[np.bool_] = (in_two.max(axis=1) >= DAILY_PART * total) & (total >= LEAST_STORIES)
    return found


def select_rows(grid: Grid, rows: Sequence[int], *, is_daily: bool) -> Grid:
    """Return some rows of an hourly grid, in days where posts only have a date."""
    some = replace(grid, stories=grid.stories[rows], negative=grid.negative[rows])
    return some.coarser(24) if is_daily else some


def _maxima(some: Grid, *, windows: Sequence[int], is_daily: bool, measure: Measure) -> Array:
    a_day = some.bins_a_day
    first_day = max(0, some.n_bins // a_day - LAW_DAYS)
    widths = [window // some.bin_ms for window in windows]
    scored = history(some, widths=widths, first_day=first_day, is_hourly=not is_daily, measure=measure)
    return daily_maxima(scored.scores, bins_a_day=a_day)


def _fits(
    some: Grid, *, rows: Sequence[int], grid: Grid, window: int, is_daily: bool, measure: Measure
) -> Iterator[_Fit]:
    end = max(LEAST_DAYS, some.n_bins // some.bins_a_day - GUARD_DAYS) * some.bins_a_day
    past = slice(max(0, end - BASELINE_DAYS * some.bins_a_day), end)
    stories, slots = some.stories[:, past], some.slots[past]
    rate = usual_rate(stories, slots=slots, is_hourly=not is_daily)
    base = fit(stories, some.negative[:, past], slots=slots, width=window // some.bin_ms, rate=rate)
    phi = base.phi_negative if measure == "surge" else base.phi
    if is_daily:
        rate = _at_posting_hour(rate, slots=grid.slots, stories=grid.stories[rows])
    for place, row in enumerate(rows):
        yield _Fit(
            row=row,
            window=window,
            is_daily=is_daily,
            rate=rate[place],
            share=float(base.share[place]),
            rho=float(base.rho[place]),
            phi=float(phi[place]),
        )


def _at_posting_hour(rate: Array, *, slots: Slots, stories: Array) -> Array:
    """Return rates [s, 168] with each day's mean in the hour in which the posts of that day are dated."""
    by_hour = np.stack([stories[:, slots % 24 == hour].sum(axis=1) for hour in range(24)], axis=1)
    placed = np.zeros_like(rate)
    rows, hours = np.arange(len(rate)), by_hour.argmax(axis=1)
    for day in range(7):
        placed[rows, 24 * day + hours] = rate[rows, 24 * day + hours]
    return placed


def window_since(width_ms: int, *, now: int) -> int:
    """Return the hour that a window of about this length begins with: half an hour longer or shorter at most."""
    since = now - width_ms + HOUR_MS // 2
    return since - since % HOUR_MS


def judged(
    usuals: Sequence[Usual], *, counts: Mapping[tuple[str, int], Counts], now: int, zone: str
) -> dict[str, Score]:
    """Return the most improbable window of each subject; `counts` are by subject id and window length, 0 if absent.

    The window that still runs is compared with the expectation for the part that has passed.
    """
    best: dict[str, Score] = {}
    by_width: dict[int, list[Usual]] = defaultdict(list)
    for one in usuals:
        by_width[one.width_ms].append(one)
    for width_ms, some in by_width.items():
        for score in _scores(some, width_ms=width_ms, counts=counts, now=now, zone=zone):
            held = best.get(score.usual.subject_id)
            if held is None or (score.is_enough, score.score) > (held.is_enough, held.score):
                best[score.usual.subject_id] = score
    return best


_NOTHING = Counts(stories=0, negative=0, recent=0)


def _scores(
    usuals: Sequence[Usual], *, width_ms: int, counts: Mapping[tuple[str, int], Counts], now: int, zone: str
) -> Iterator[Score]:
    since = window_since(width_ms, now=now)
    n_hours = max(1, -(-(now - since) // HOUR_MS))
    slots = hours_of_week(since, bin_ms=HOUR_MS, n_bins=n_hours, zone=zone)
    passed = np.ones(n_hours)
    if not usuals[0].is_daily:
        passed[-1] = (now - since - (n_hours - 1) * HOUR_MS) / HOUR_MS
    seen = [counts.get((one.subject_id, width_ms), _NOTHING) for one in usuals]
    stories, negative, recent = (
        np.array([[getattr(one, name)] for one in seen], dtype=np.float64) for name in ("stories", "negative", "recent")
    )
    rate = np.array([one.rate for one in usuals])
    expected = (rate[:, slots] * passed).sum(axis=1, keepdims=True)
    base = _as_baseline(usuals, rate=rate)
    if usuals[0].measure == "volume":
        count = volume_scores(stories, baseline=base, expected=expected)
        share, score, enough = np.zeros_like(count), count, stories >= LEAST_STORIES
    else:
        share, count = surge_parts(stories, negative, baseline=base, expected=expected)
        score = combined_score(share, count, window_ms=width_ms)
        enough = passes(stories, negative, share=base.share, recent=recent)
    for place, one in enumerate(usuals):
        yield Score(
            usual=one,
            counts=seen[place],
            since=since,
            until=now,
            expected=float(expected[place, 0]),
            share=float(share[place, 0]),
            count=float(count[place, 0]),
            score=float(score[place, 0]),
            is_enough=bool(enough[place, 0]),
        )


def _as_baseline(usuals: Sequence[Usual], *, rate: Array) -> Baseline:
    phi = np.array([one.phi for one in usuals])
    return Baseline(
        width=1,
        rate=rate,
        share=np.array([one.share for one in usuals]),
        rho=np.array([one.rho for one in usuals]),
        phi=phi,
        phi_negative=phi,
        n_stories=np.zeros(len(usuals)),
    )


def threshold(usual: Usual, *, budget: float, n_subjects: int) -> float:
    """Return the score that a subject passes so seldom that `n_subjects` together keep `budget` alarms a week."""
    a_day = max(budget, 1e-6) / 7 / max(1, n_subjects)
    return float(gumbel_threshold(usual.location, usual.scale, alarms_a_day=a_day))
