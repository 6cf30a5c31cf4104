from __future__ import annotations

import json

import pytest

from app.alerts.decide.rule_conditions import evaluate, windows
from app.alerts.domain.alert import Rule
from app.core.durations import DAY_MS, HOUR_MS
from app.market.decide.bucketing import Timeline
from app.market.domain.series import Bucket, Window

RULE = Rule(id=1, name="Bad news", min_stories=8, min_negative=6, share=0.5, lift=1.5)


def sums(negative: int, *, neutral: int = 0, positive: int = 0, abstained: int = 0) -> Window:
    n_stories = negative + neutral + positive + abstained
    return Window(
        since=0, until=DAY_MS, n_posts=n_stories + 3, n_stories=n_stories,
        n_negative=negative, n_neutral=neutral, n_positive=positive,
    )  # fmt: skip


USUAL = sums(22, neutral=50, positive=28)
GRIM = sums(70, neutral=20, positive=10)


@pytest.mark.parametrize(
    ("window", "baseline", "reason"),
    [
        (sums(8, neutral=4), USUAL, "met"),
        (sums(6, neutral=1), USUAL, "too_few_stories"),
        (sums(6, neutral=2), USUAL, "met"),
        (sums(5, neutral=3), USUAL, "too_few_negative"),
        (sums(6, neutral=7), USUAL, "share_below"),
        (sums(6, neutral=6), USUAL, "met"),
        (sums(6, abstained=20), USUAL, "met"),
        (sums(0, abstained=20), USUAL, "too_few_negative"),
        (sums(9, neutral=1), GRIM, "lift_below"),
        (sums(40, neutral=60), USUAL, "share_below"),
        (sums(6, neutral=2), sums(50, neutral=50), "met"),
        (sums(6, neutral=2), sums(51, neutral=49), "lift_below"),
        (sums(6, neutral=2), sums(0, neutral=90), "met"),
        (sums(6, neutral=2), sums(7), "met"),
        (sums(6, neutral=2), sums(8), "lift_below"),
        (sums(0), sums(0), "too_few_stories"),
    ],
)
def test_when_bad_news_surges(window: Window, baseline: Window, reason: str) -> None:
    verdict = evaluate(RULE, window=window, baseline=baseline)
    assert verdict.observed["reason"] == reason
    assert verdict.is_met == (reason == "met")


def test_the_figures_explain_it() -> None:
    observed = evaluate(RULE, window=sums(21, neutral=25, abstained=2), baseline=USUAL).observed
    assert (observed["n_stories"], observed["n_scored"], observed["n_negative"]) == (48, 46, 21)
    assert observed["share"] == pytest.approx(21 / 46)
    assert observed["baseline_share"] == 0.22
    assert observed["baseline_n"] == 100
    assert observed["expected_negative"] == pytest.approx(10.12)
    assert observed["lift"] == pytest.approx(21 / 46 / 0.22)
    assert (observed["threshold_share"], observed["threshold_lift"], observed["window_ms"]) == (0.5, 1.5, DAY_MS)


@pytest.mark.parametrize("baseline", [sums(0), sums(0, neutral=90), sums(3), USUAL])
def test_the_figures_are_json(baseline: Window) -> None:
    observed = evaluate(RULE, window=sums(9), baseline=baseline).observed
    assert json.loads(json.dumps(observed, allow_nan=False)) == observed


def test_too_short_a_past_is_said_to_be_unknown() -> None:
    observed = evaluate(RULE, window=sums(9), baseline=sums(2, neutral=5)).observed
    assert (observed["baseline_share"], observed["lift"], observed["baseline_n"]) == (None, None, 7)


def test_the_baseline_ends_where_the_window_begins() -> None:
    now = 1_770_001_200_000
    rule = Rule(id=1, name="r", window_ms=4 * HOUR_MS, baseline_ms=10 * HOUR_MS)
    timeline = Timeline(
        Bucket(subject_kind="entity", subject_id="1", at=now - hour * HOUR_MS, n_stories=1) for hour in range(-2, 30)
    )
    window, baseline = windows(rule, timeline=timeline, now=now)
    assert (window.n_stories, baseline.n_stories) == (4, 10)
    assert (baseline.since, baseline.until, window.since, window.until) == (
        now - 14 * HOUR_MS, now - 4 * HOUR_MS, now - 4 * HOUR_MS, now,
    )  # fmt: skip
