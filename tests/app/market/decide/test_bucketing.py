from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.durations import DAY_MS, HOUR_MS
from app.market.decide.bucketing import (
    MARKET,
    Timeline,
    bucket_at,
    difference,
    merged,
    points,
    sayings,
    tally,
)
from app.market.domain.market import Mention
from app.market.domain.series import Bucket, CountedPost, Saying, Window

START = 1_770_001_200_000
"""2026-02-02 03:00 UTC: a whole hour that is no whole day."""


def saying(post_id: int = 1, *, hour: float = 0, **changes: Any) -> Saying:
    values: dict[str, Any] = {
        "subject_kind": "entity",
        "subject_id": "3",
        "post_id": post_id,
        "at": START + round(hour * HOUR_MS),
        "story_id": 1,
        "sentiment": "negative",
        "sentiment_score": -0.9,
    }
    return Saying(**{**values, **changes})


def bucket(hour: int = 0, **counts: Any) -> Bucket:
    return Bucket(subject_kind="entity", subject_id="3", at=START + hour * HOUR_MS, **counts)


def test_buckets_begin_with_the_hour() -> None:
    assert bucket_at(START) == START
    assert bucket_at(START + HOUR_MS - 1) == START
    assert bucket_at(-1) == -HOUR_MS


def post(**changes: Any) -> CountedPost:
    values: dict[str, Any] = {
        "id": 5,
        "feed_id": 2,
        "occurred_at": START,
        "story_id": 9,
        "topic": "earnings",
        "is_topic_abstained": False,
        "sentiment": "neutral",
        "sentiment_score": 0.1,
    }
    return CountedPost(**{**values, **changes})


def mention(mention_id: int, *, entity_id: int = 3, **changes: Any) -> Mention:
    values: dict[str, Any] = {
        "id": mention_id,
        "post_id": 5,
        "entity_id": entity_id,
        "start": 0,
        "end": 1,
        "surface": "t",
        "occurred_at": START,
        "sentiment": "negative",
        "sentiment_score": -0.5,
        "probability": 0.6,
    }
    return Mention(**{**values, **changes})


def said(found: tuple[Saying, ...]) -> list[tuple[str, str, str | None, bool]]:
    return [(one.subject_kind, one.subject_id, one.sentiment, one.is_abstained) for one in found]


def test_a_post_speaks_of_its_entities_topic_feed_and_the_market() -> None:
    found = sayings(post(), mentions=[mention(1), mention(2, entity_id=4, sentiment="positive")])
    assert said(found) == [
        ("entity", "3", "negative", False),
        ("entity", "4", "positive", False),
        ("topic", "earnings", "neutral", False),
        ("feed", "2", "neutral", False),
        ("market", MARKET, "neutral", False),
    ]
    assert {(one.post_id, one.story_id, one.at) for one in found} == {(5, 9, START)}


def test_the_surest_mention_of_an_entity_speaks_and_an_abstained_topic_is_none() -> None:
    unsure = mention(1, is_abstained=True, probability=0.99)
    weak, sure = mention(2, probability=0.6), mention(3, sentiment="positive", probability=0.8)
    found = sayings(post(is_topic_abstained=True, sentiment=None), mentions=[unsure, weak, sure])
    assert said(found) == [
        ("entity", "3", "positive", False),
        ("feed", "2", None, True),
        ("market", MARKET, None, True),
    ]
    assert said(sayings(post(), mentions=[unsure]))[0] == ("entity", "3", None, True)


@pytest.mark.parametrize(
    ("changes", "is_first", "expected"),
    [
        ({}, True, bucket(n_posts=1, n_stories=1, n_negative=1, score_sum=-922 / 1024)),
        ({}, False, bucket(n_posts=1)),
        (
            {"sentiment": "positive", "sentiment_score": 0.5},
            True,
            bucket(n_posts=1, n_stories=1, n_positive=1, score_sum=0.5),
        ),
        (
            {"sentiment": "neutral", "sentiment_score": None},
            True,
            bucket(n_posts=1, n_stories=1, n_neutral=1),
        ),
        ({"is_abstained": True}, True, bucket(n_posts=1, n_stories=1, n_abstained=1)),
        ({"sentiment": None, "sentiment_score": 0.5}, True, bucket(n_posts=1, n_stories=1, n_abstained=1)),
    ],
)
def test_what_a_saying_contributes(changes: dict[str, Any], is_first: bool, expected: Bucket) -> None:
    earlier = [] if is_first else [saying(0)]
    assert difference([*earlier, saying(hour=0.9, **changes)], before=earlier) == (expected,)


def test_a_story_posted_fifty_times_is_one_story() -> None:
    (first, *rest) = tally(saying(number, hour=number / 10) for number in range(50))
    assert (first.n_posts, first.n_stories, first.n_negative) == (10, 1, 1)
    assert [(later.n_posts, later.n_stories) for later in rest] == [(10, 0)] * 4


def test_a_late_arrival_that_was_first_moves_the_story_to_its_hour() -> None:
    present = saying(1, hour=3)
    late = saying(2, hour=0, sentiment="positive", sentiment_score=0.5)
    assert difference([present, late], before=[present]) == (
        bucket(0, n_posts=1, n_stories=1, n_positive=1, score_sum=0.5),
        bucket(3, n_stories=-1, n_negative=-1, score_sum=922 / 1024),
    )
    assert difference([present, saying(3, hour=4)], before=[present]) == (bucket(4, n_posts=1),)


SAYINGS = st.lists(
    st.builds(
        saying,
        st.integers(1, 10_000),
        hour=st.floats(0, 30),
        story_id=st.none() | st.integers(1, 4),
        subject_id=st.sampled_from(["3", "4"]),
        sentiment=st.sampled_from(["negative", "neutral", "positive", None]),
        sentiment_score=st.floats(-1, 1),
    ),
    max_size=25,
    unique_by=lambda one: one.post_id,
)


@settings(deadline=None)
@given(arriving=SAYINGS)
def test_counting_one_by_one_equals_counting_anew_to_the_bit(arriving: list[Saying]) -> None:
    buckets: tuple[Bucket, ...] = ()
    for n in range(len(arriving)):
        buckets = merged([*buckets, *difference(arriving[: n + 1], before=arriving[:n])])
    assert buckets == tally(arriving)


@settings(deadline=None)
@given(before=SAYINGS, position=st.integers(0, 24))
def test_an_edited_post_is_counted_by_the_difference(before: list[Saying], position: int) -> None:
    after = [
        replace(one, sentiment="positive", sentiment_score=1.0) if number == position else one
        for number, one in enumerate(before)
    ]
    assert merged([*tally(before), *difference(after, before=before)]) == tally(after)


def test_a_window_holds_what_begins_in_it() -> None:
    buckets = [bucket(hour, n_posts=2, n_stories=1, n_negative=1, score_sum=-0.5) for hour in (5, 0, 2)]
    found = Timeline(buckets).window(since=START, until=START + 5 * HOUR_MS)
    assert found == Window(since=START, until=START + 5 * HOUR_MS, n_posts=4, n_stories=2, n_negative=2, score_sum=-1.0)
    assert found.negative_share == 1.0
    assert Timeline(buckets).window(since=START + 9 * HOUR_MS, until=START).n_posts == 0
    assert Timeline([]).window(since=0, until=1) == Window(since=0, until=1)


@settings(deadline=None)
@given(
    hours=st.lists(st.integers(0, 50), max_size=30, unique=True),
    cut=st.integers(0, 50 * HOUR_MS),
)
def test_windows_that_meet_neither_overlap_nor_leave_a_gap(hours: list[int], cut: int) -> None:
    timeline = Timeline(bucket(hour, n_posts=1, n_stories=1) for hour in hours)
    before = timeline.window(since=START, until=START + cut)
    after = timeline.window(since=START + cut, until=START + 51 * HOUR_MS)
    assert before.n_stories + after.n_stories == len(hours)


def test_points_leave_no_gap_and_say_nothing_of_silence() -> None:
    buckets = [
        bucket(0, n_posts=3, n_stories=2, n_negative=1, n_abstained=1, score_sum=-0.75),
        bucket(30, n_posts=1, n_stories=1, n_positive=1, score_sum=0.5),
    ]
    found = points(buckets, since=START + 60_000, until=START + 3 * DAY_MS, step_ms=DAY_MS)
    assert [point.at for point in found] == [START, START + DAY_MS, START + 2 * DAY_MS]
    assert [point.net_sentiment for point in found] == [-0.75, 0.5, None]
    assert [point.negative_share for point in found] == [1.0, 0.0, None]
    assert [(point.n_posts, point.n_stories) for point in found] == [(3, 2), (1, 1), (0, 0)]


@pytest.mark.parametrize("step_ms", [0, 60_000, HOUR_MS + 1])
def test_a_step_is_whole_hours(step_ms: int) -> None:
    with pytest.raises(ValueError, match="whole number of hours"):
        points([], since=0, until=1, step_ms=step_ms)
