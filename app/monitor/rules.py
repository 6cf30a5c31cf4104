"""Whether a rule's condition holds at one moment, and the figures that explain it."""

from __future__ import annotations

from app.domain.alert import Rule, Verdict
from app.domain.series import Window
from app.monitor.series import Timeline

Stretch = tuple[int, int]


def stretches(rule: Rule, *, now: int) -> tuple[Stretch, Stretch]:
    """Since and until of the rule's window, which ends at `now`, and of its baseline, which ends where that begins."""
    since = now - rule.window_ms
    return (since, now), (since - rule.baseline_ms, since)


def windows(rule: Rule, *, timeline: Timeline, now: int) -> tuple[Window, Window]:
    """One subject's sums over the rule's window and over its baseline."""
    window, baseline = (timeline.window(since=since, until=until) for since, until in stretches(rule, now=now))
    return window, baseline


def evaluate(rule: Rule, *, window: Window, baseline: Window) -> Verdict:
    """Whether bad news surges: enough stories, enough negative ones, a high share, and higher than usual.

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


def _n_scored(window: Window) -> int:
    return window.n_negative + window.n_neutral + window.n_positive


def _reason(rule: Rule, *, window: Window, usual: float | None) -> str:
    share = window.negative_share
    if window.n_stories < rule.min_stories:
        return "too_few_stories"
    if window.n_negative < rule.min_negative:
        return "too_few_negative"
    if share is None or share < rule.share:
        return "share_below"
    if usual is not None and share < rule.lift * usual:
        return "lift_below"
    return "met"
