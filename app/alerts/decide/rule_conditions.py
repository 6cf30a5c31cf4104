"""The condition of a rule at one moment, and the figures that explain the verdict."""

from __future__ import annotations

from typing import Any

from app.alerts.decide.baseline_learning import Score
from app.alerts.domain.alert import Rule, Severity, Verdict
from app.core.durations import DAY_MS
from app.core.interval import interval
from app.market.decide.bucketing import Timeline
from app.market.domain.series import Window

CRITICAL_RISE, WARNING_RISE = 0.15, 0.05

Stretch = tuple[int, int]


def stretches(rule: Rule, *, now: int) -> tuple[Stretch, Stretch]:
    """Return since and until of the rule's window, which ends at `now`, and of its baseline, which ends before that."""
    since = now - rule.window_ms
    return (since, now), (since - rule.baseline_ms, since)


def windows(rule: Rule, *, timeline: Timeline, now: int) -> tuple[Window, Window]:
    """Return one subject's sums over the rule's window and over its baseline."""
    window, baseline = (timeline.window(since=since, until=until) for since, until in stretches(rule, now=now))
    return window, baseline


def may_meet(rule: Rule, *, window: Window) -> bool:
    """Return True if the window alone could meet a rule of counts: only then the long baseline is summed up."""
    if rule.kind == "mention":
        return window.n_stories >= 1 and window.n_negative >= rule.min_negative
    share = window.negative_share
    return (
        window.n_stories >= rule.min_stories
        and window.n_negative >= rule.min_negative
        and share is not None
        and share >= rule.share
    )


def evaluate(rule: Rule, *, window: Window, baseline: Window) -> Verdict:
    """Judge whether bad news surges: enough stories, enough negative ones, a high share, and higher than usual.

    `observed` holds the figures and the thresholds, all JSON numbers or None, and `reason`: `met` or the first
    condition that fails (`too_few_stories`, `too_few_negative`, `share_below`, `lift_below`). A baseline of fewer
    stories than `min_stories` tells nothing: then `baseline_share` and `lift` are None and the share alone decides.
    """
    share = window.negative_share
    usual = baseline.negative_share if _n_scored(baseline) >= rule.min_stories else None
    reason = _reason(rule, window=window, usual=usual)
    observed = {
        "reason": reason,
        "n_posts": window.n_posts,
        "n_stories": window.n_stories,
        "n_scored": _n_scored(window),
        "n_negative": window.n_negative,
        "share": share,
        "baseline_share": usual,
        "baseline_n": _n_scored(baseline),
        "expected_negative": None if usual is None else usual * _n_scored(window),
        "lift": share / usual if share is not None and usual else None,
        "window_ms": window.until - window.since,
        "baseline_ms": baseline.until - baseline.since,
        "threshold_stories": rule.min_stories,
        "threshold_negative": rule.min_negative,
        "threshold_share": rule.share,
        "threshold_lift": rule.lift,
        "since": window.since,
        "until": window.until,
    }
    return Verdict(is_met=reason == "met", observed=observed)


def absent(rule: Rule, *, last_at: int | None, baseline: Window, now: int) -> Verdict:
    """Judge whether a subject that is usually spoken of was silent for the rule's window."""
    quiet_ms = now - (baseline.since if last_at is None else last_at)
    is_met = quiet_ms >= rule.window_ms
    observed = {
        "reason": "met" if is_met else "heard",
        "n_posts": 0 if is_met else 1,
        "n_stories": 0,
        "n_scored": 0,
        "n_negative": 0,
        "share": None,
        "baseline_share": baseline.negative_share,
        "baseline_n": _n_scored(baseline),
        "quiet_since": last_at,
        "window_ms": rule.window_ms,
        "baseline_ms": rule.baseline_ms,
        "since": now - rule.window_ms,
        "until": now,
    }
    return Verdict(is_met=is_met, observed=observed)


def surge_facts(
    score: Score, *, window: Window, threshold: float, budget: float, is_met: bool, order: int
) -> dict[str, Any]:
    """Return the figures of a surge of news as `evaluate` names them, with its score and the threshold for it."""
    usual, stories = score.usual, score.counts.stories
    share = score.counts.negative / stories if stories else None
    return {
        "reason": "met" if is_met else "score_below" if score.score < threshold else "guard",
        "n_posts": window.n_posts,
        "n_stories": window.n_stories,
        "n_scored": _n_scored(window),
        "n_negative": window.n_negative,
        "share": share,
        "baseline_share": usual.share,
        "baseline_n": round(usual.stories_a_day * usual.n_days),
        "expected_stories": score.expected,
        "expected_negative": score.expected * usual.share,
        "lift": None if share is None else share / usual.share,
        "score": score.score,
        "score_share": score.share,
        "score_count": score.count,
        "threshold_score": threshold,
        "budget": budget,
        "order": order,
        "phi": usual.phi,
        "rho": usual.rho,
        "stories_a_day": usual.stories_a_day,
        "window_ms": usual.width_ms,
        "baseline_ms": usual.n_days * DAY_MS,
        "since": score.since,
        "until": score.until,
    }


def severity_of(score: Score) -> Severity:
    """Return the severity by size alone: how far the lower end of the share's interval lies above the usual share."""
    low, _ = interval(score.counts.negative, score.counts.stories, rho=score.usual.rho)
    rise = low - score.usual.share
    return "critical" if rise >= CRITICAL_RISE else "warning" if rise >= WARNING_RISE else "info"


def _n_scored(window: Window) -> int:
    return window.n_negative + window.n_neutral + window.n_positive


def _reason(rule: Rule, *, window: Window, usual: float | None) -> str:
    share = window.negative_share
    if rule.kind == "mention":
        return "met" if may_meet(rule, window=window) else "too_few_stories"
    if window.n_stories < rule.min_stories:
        return "too_few_stories"
    if window.n_negative < rule.min_negative:
        return "too_few_negative"
    if share is None or share < rule.share:
        return "share_below"
    if usual is not None and share < rule.lift * usual:
        return "lift_below"
    return "met"
