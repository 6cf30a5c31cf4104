"""The band that a chart is seen against: it holds 19 of 20 ordinary steps, and says nothing before it can know."""

from __future__ import annotations

import numpy as np
import pytest

from app.alerts.decide.expected_band import expected_ranges
from app.core.durations import DAY_MS, HOUR_MS
from app.market.decide.bucketing import points
from app.market.domain.series import Bucket, Expected, Point

MONDAY = 1_770_595_200_000
"""2026-02-09, a Monday at midnight UTC."""

WEEKS = 4
UNTIL = MONDAY + WEEKS * 7 * DAY_MS


def _bucket(hour: int, *, stories: int, negative: int) -> Bucket:
    positive = stories - negative
    return Bucket(
        subject_kind="entity",
        subject_id="1",
        at=MONDAY + hour * HOUR_MS,
        n_posts=stories,
        n_stories=stories,
        n_negative=negative,
        n_positive=positive,
        score_sum=0.8 * positive - 0.8 * negative,
    )


def _history(n_hours: int, *, seed: int = 5) -> list[Bucket]:
    """Busy working hours, quiet nights, over-dispersed; a fifth is negative."""
    random = np.random.default_rng(seed)
    mean = np.where((np.arange(n_hours) % 24 >= 8) & (np.arange(n_hours) % 24 < 20), 20.0, 3.0)
    stories = random.negative_binomial(mean / 2, 1 / 3)  # φ = 3
    negative = random.binomial(stories, random.beta(0.2 * 49, 0.8 * 49, size=n_hours))  # ρ = 0.02
    return [
        _bucket(hour, stories=int(n), negative=int(k))
        for hour, (n, k) in enumerate(zip(stories, negative, strict=True))
        if n
    ]


def _usual(
    past: list[Bucket], shown: tuple[Point, ...], *, step_ms: int, now: int = 2 * UNTIL, is_daily: bool = False
) -> tuple[Expected, ...]:
    return expected_ranges(past, since=MONDAY, until=UNTIL, points=shown, step_ms=step_ms, now=now, is_daily=is_daily)


@pytest.mark.parametrize("step_ms", [HOUR_MS, 6 * HOUR_MS, DAY_MS])
def test_about_nineteen_of_twenty_ordinary_steps_lie_within(step_ms: int) -> None:
    history = _history(2 * WEEKS * 168)
    past = [one for one in history if one.at < UNTIL]
    shown = points(history, since=UNTIL, until=UNTIL + WEEKS * 7 * DAY_MS, step_ms=step_ms)
    usual = _usual(past, shown, step_ms=step_ms)
    within = [
        (
            known.stories.low <= point.n_stories <= known.stories.high,
            known.share.low - 1e-9 <= point.negative_share <= known.share.high + 1e-9,
            known.net.low <= point.net_sentiment <= known.net.high,
        )
        for point, known in zip(shown, usual, strict=True)
        if known.stories
        and known.share
        and known.net
        and point.net_sentiment is not None
        and point.negative_share is not None
    ]
    assert len(within) > 0.9 * len(shown)
    for held in np.mean(within, axis=0):
        assert 0.89 <= held <= 1.0


def test_the_band_follows_the_hours_of_the_week_and_the_part_that_has_passed() -> None:
    past = [one for one in _history(WEEKS * 168)]
    shown = points((), since=UNTIL, until=UNTIL + DAY_MS, step_ms=HOUR_MS)
    usual = _usual(past, shown, step_ms=HOUR_MS)
    night, noon = usual[2].stories, usual[12].stories
    assert night
    assert noon
    assert night.high < 14 < 30 < noon.high
    half = _usual(past, shown, step_ms=HOUR_MS, now=UNTIL + 12 * HOUR_MS + HOUR_MS // 2)[12].stories
    assert half
    assert 15 < half.high < noon.high
    later = _usual(past, shown, step_ms=HOUR_MS, now=UNTIL + 12 * HOUR_MS)[12].stories
    assert later
    assert later.high == 0


def test_a_past_burst_hardly_widens_the_band() -> None:
    calm = _history(WEEKS * 168)
    burst = [
        one
        if not 200 * HOUR_MS <= one.at - MONDAY < 208 * HOUR_MS
        else _bucket((one.at - MONDAY) // HOUR_MS, stories=60, negative=55)
        for one in calm
    ]
    shown = points((), since=UNTIL, until=UNTIL + DAY_MS, step_ms=DAY_MS)
    one, other = (_usual(past, shown, step_ms=DAY_MS)[0] for past in (calm, burst))
    assert one.share
    assert other.share
    assert one.net
    assert other.net
    assert other.share.high < one.share.high + 0.06
    assert other.net.low > one.net.low - 0.15


def test_before_seven_days_only_the_interval_of_the_share_is_known() -> None:
    past = [one for one in _history(WEEKS * 168) if one.at >= UNTIL - 6 * DAY_MS]
    shown = points(past, since=UNTIL - DAY_MS, until=UNTIL, step_ms=DAY_MS)
    found = _usual(past, shown, step_ms=DAY_MS)[0]
    assert (found.stories, found.share, found.net) == (None, None, None)
    assert found.share_seen
    assert found.share_seen.low < 0.2 < found.share_seen.high
    assert (
        _usual([], points((), since=UNTIL, until=UNTIL + DAY_MS, step_ms=DAY_MS), step_ms=DAY_MS)[0].share_seen is None
    )


def test_of_a_subject_of_hardly_any_stories_only_their_number_is_usual() -> None:
    past = [_bucket(24, stories=1, negative=1), _bucket(300, stories=3, negative=0)]
    found = _usual(past, points((), since=UNTIL, until=UNTIL + DAY_MS, step_ms=DAY_MS), step_ms=DAY_MS)[0]
    assert found.stories is not None
    assert (found.share, found.net) == (None, None)


def test_posts_that_only_have_a_date_have_a_band_of_days_and_none_of_hours() -> None:
    random = np.random.default_rng(2)
    past = [_bucket(24 * day, stories=int(n), negative=1) for day, n in enumerate(random.poisson(10, size=WEEKS * 7))]
    days = points((), since=UNTIL, until=UNTIL + 2 * DAY_MS, step_ms=DAY_MS)
    daily = _usual(past, days, step_ms=DAY_MS)[0].stories
    assert daily
    assert 2 <= daily.low < 10 < daily.high <= 20
    hours = points((), since=UNTIL, until=UNTIL + DAY_MS, step_ms=HOUR_MS)
    assert _usual(past, hours, step_ms=HOUR_MS)[12].stories is None


def test_days_that_a_feed_tells_of_are_believed_where_their_hours_do_not_show_it() -> None:
    past = _history(WEEKS * 168)
    hours = points((), since=UNTIL, until=UNTIL + DAY_MS, step_ms=HOUR_MS)
    assert _usual(past, hours, step_ms=HOUR_MS)[12].stories is not None
    assert _usual(past, hours, step_ms=HOUR_MS, is_daily=True)[12].stories is None
