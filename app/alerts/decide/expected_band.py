"""The expected band of a chart: the range in which a subject's figures lie 19 times of 20, step by step.

    stories   negative binomial around the mean of these hours of the week, with the dispersion of past steps
    share     beta-binomial of so many stories around the usual negative share
    net       m ± 1.96 √(v/n): the usual net sentiment m, and v = Σ n (x − m)² / count over past steps of n stories

The weeks behind it, and how past bursts weigh less in them, are those that surges are measured against (baseline.py).
A band is drawn from seven days on, those of share and net sentiment from five stories on; posts that only have a date
have none within a day.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.alerts.decide import tail_probabilities
from app.alerts.decide.baseline_learning import DAILY_PART
from app.alerts.decide.count_grid import Array, Slots, hours_of_week, rolled
from app.alerts.decide.history_scoring import LEAST_DAYS
from app.alerts.decide.robust_fit import BURST_Z, ROUNDS, fit, usual_rate
from app.alerts.decide.surge import LEAST_STORIES, Flags
from app.core.durations import DAY_MS, HOUR_MS
from app.core.interval import Z95, Range, interval
from app.market.domain.series import Bucket, Expected, Point

TAIL = 0.025
_SELDOM, _NEARLY_ALWAYS = -math.log10(TAIL), -math.log10(1 - TAIL)


@dataclass(frozen=True, kw_only=True)
class _Past:
    """One subject's bins [1, t] of known days: stories, those with a class, negative ones, sums of their scores."""

    stories: Array
    scored: Array
    negative: Array
    score: Array
    slots: Slots
    bin_ms: int


@dataclass(frozen=True, kw_only=True)
class _Usual:
    """A subject's usual stories (all, with a class) an hour by hour of the week [168], and the scatter of a step."""

    rate: Array
    rate_scored: Array
    phi: float
    share: float
    rho: float
    net: float
    net_variance: float
    is_tone_known: bool


def expected_ranges(
    past: Sequence[Bucket],
    *,
    since: int,
    until: int,
    points: Sequence[Point],
    step_ms: int,
    now: int,
    zone: str = "UTC",
    is_daily: bool = False,
) -> tuple[Expected, ...]:
    """Return the expected range of each point of `step_ms`; `past` are the buckets of the whole days in [since, until).

    `is_daily`: the posts are known to have a date and no time, which the hours of `past` may show as well.
    """
    known = _past(past, since=since, until=until, zone=zone, is_daily=is_daily)
    usual = None if known is None or step_ms < known.bin_ms else _usual(known, width=step_ms // known.bin_ms)
    seen = [_seen(point, rho=0.0 if usual is None else usual.rho) for point in points]
    if usual is None or not points:
        return tuple(Expected(at=point.at, share_seen=one) for point, one in zip(points, seen, strict=True))
    stories = _mean(usual.rate, points=points, step_ms=step_ms, now=now, zone=zone)
    scored = _mean(usual.rate_scored, points=points, step_ms=step_ms, now=now, zone=zone)
    # Where nothing was said, the band is that of as many stories as usual.
    n = np.array([point.n_scored or max(1.0, round(mean)) for point, mean in zip(points, scored, strict=True)])
    counts = _counts(stories, phi=usual.phi)
    shares, nets = _shares(n, usual=usual), [_net(usual, n=one) for one in n.tolist()]
    return tuple(
        Expected(at=point.at, stories=count, share=share, net=net, share_seen=one)
        for point, count, share, net, one in zip(points, counts, shares, nets, seen, strict=True)
    )


def _seen(point: Point, *, rho: float) -> Range | None:
    if not point.n_scored:
        return None
    low, high = interval(point.n_negative, point.n_scored, rho=rho)
    return Range(low=low, high=high)


def _past(past: Sequence[Bucket], *, since: int, until: int, zone: str, is_daily: bool) -> _Past | None:
    """Return the bins from the first day with stories on, days if posts only have a date; None before seven days."""
    if not past:
        return None
    start = since + (past[0].at - since) // DAY_MS * DAY_MS
    n_hours = (until - start) // HOUR_MS
    if n_hours < LEAST_DAYS * 24:
        return None
    sums = np.zeros((4, 1, n_hours))
    for one in past:
        hour = (one.at - start) // HOUR_MS
        n_scored = one.n_negative + one.n_neutral + one.n_positive
        sums[:, 0, hour] += (one.n_stories, n_scored, one.n_negative, one.score_sum)
    slots, bin_ms = hours_of_week(start, bin_ms=HOUR_MS, n_bins=n_hours, zone=zone), HOUR_MS
    by_hour = np.bincount(slots % 24, weights=sums[0, 0], minlength=24)
    if is_daily or by_hour.max() >= DAILY_PART * by_hour.sum():
        sums, slots, bin_ms = sums.reshape(4, 1, -1, 24).sum(axis=3), slots[::24], DAY_MS
    return _Past(stories=sums[0], scored=sums[1], negative=sums[2], score=sums[3], slots=slots, bin_ms=bin_ms)


def _usual(past: _Past, *, width: int) -> _Usual:
    is_hourly = past.bin_ms == HOUR_MS
    rate, rate_scored = (
        usual_rate(counts, slots=past.slots, is_hourly=is_hourly) for counts in (past.stories, past.scored)
    )
    every = fit(past.stories, past.negative, slots=past.slots, width=width, rate=rate)
    scored = fit(past.scored, past.negative, slots=past.slots, width=width, rate=rate_scored)
    net, variance = _scatter(past, width=width)
    an_hour = 1.0 if is_hourly else 24.0
    return _Usual(
        rate=rate[0] / an_hour,
        rate_scored=rate_scored[0] / an_hour,
        phi=float(every.phi[0]),
        share=float(scored.share[0]),
        rho=float(scored.rho[0]),
        net=net,
        net_variance=variance,
        is_tone_known=float(past.scored.sum()) >= LEAST_STORIES,
    )


def _scatter(past: _Past, *, width: int) -> tuple[float, float]:
    """Return the mean score of a story and the variance of one story that explains the scatter of steps; winsorised."""
    n, score = rolled(past.scored, width)[0], rolled(past.score, width)[0]
    n, score = n[n > 0], score[n > 0]
    if not n.size:
        return 0.0, 1.0
    weights = np.ones_like(n)
    mean, variance = 0.0, 1.0
    for _ in range(ROUNDS):
        mean = float((weights * score).sum() / (weights * n).sum())
        off = np.sqrt(n) * (score / n - mean)
        z = off / math.sqrt(variance)
        weights = np.minimum(1.0, (BURST_Z / np.maximum(np.abs(z), 1e-9)) ** 2)
        held = np.clip(z, -BURST_Z, BURST_Z) * math.sqrt(variance)
        variance = max(1e-4, float((weights * held**2).sum() / weights.sum()))
    return mean, variance


def _net(usual: _Usual, *, n: float) -> Range | None:
    if not usual.is_tone_known:
        return None
    half = Z95 * math.sqrt(usual.net_variance / n)
    return Range(low=max(-1.0, usual.net - half), high=min(1.0, usual.net + half))


def _mean(rate: Array, *, points: Sequence[Point], step_ms: int, now: int, zone: str) -> Array:
    """Return the usual stories of each step; for the one that still runs, those of the part that has passed."""
    first, an_hour = points[0].at, step_ms // HOUR_MS
    slots = hours_of_week(first, bin_ms=HOUR_MS, n_bins=len(points) * an_hour, zone=zone)
    begins = first + np.arange(len(slots)) * HOUR_MS
    passed = np.clip((now - begins) / HOUR_MS, 0.0, 1.0)
    mean: Array = (rate[slots] * passed).reshape(-1, an_hour).sum(axis=1)
    return mean


def _counts(mean: Array, *, phi: float) -> list[Range]:
    top = mean + 12 * np.sqrt(phi * np.maximum(mean, 1.0)) + 12 * phi
    return _ranges(lambda k: tail_probabilities.negative_binomial(k, mean=mean, phi=phi), top=np.ceil(top))


def _shares(n: Array, *, usual: _Usual) -> list[Range] | list[None]:
    if not usual.is_tone_known:
        return [None] * len(n)
    found = _ranges(lambda k: tail_probabilities.beta_binomial(k, n, share=usual.share, rho=usual.rho), top=n)
    return [Range(low=one.low / of, high=one.high / of) for one, of in zip(found, n.tolist(), strict=True)]


def _ranges(tail: Callable[[Array], Array], *, top: Array) -> list[Range]:
    """Return the counts that 1 in 40 falls below and 1 in 40 exceeds, at most; `tail` is −log₁₀ P(K ≥ k)."""
    low = _largest(lambda k: tail(k) <= _NEARLY_ALWAYS, top=top)
    high = _largest(lambda k: tail(k) < _SELDOM, top=top)
    return [Range(low=one, high=other) for one, other in zip(low.tolist(), high.tolist(), strict=True)]


def _largest(holds: Callable[[Array], Flags], *, top: Array) -> Array:
    """Return the largest whole number from 0 to `top` for which a condition holds that is monotone and holds at 0."""
    low, high = np.zeros_like(top), top.astype(np.float64)
    while (low < high).any():
        middle = np.ceil((low + high) / 2)
        is_held = holds(middle)
        low, high = np.where(is_held, middle, low), np.where(is_held, high, middle - 1)
    return low
