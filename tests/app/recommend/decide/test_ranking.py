from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.durations import DAY_MS
from app.recommend.decide.ranking import DIVERSITY_WEIGHT, RECENCY_WEIGHT, rank
from app.recommend.domain import Candidate, Profile, Recommendation

NOW = 1_770_000_000_000
READER = Profile(weights={"entity:1": 0.8, "topic:oil": -0.6}, n_feedback=4)


def post(post_id: int, *, days_ago: float = 1, is_seen: bool = False, **features: float) -> Candidate:
    named = {name.replace("_", ":"): value for name, value in features.items()}
    return Candidate(post_id=post_id, features=named, occurred_at=NOW - round(days_ago * DAY_MS), is_seen=is_seen)


def ids(found: tuple[Recommendation, ...]) -> list[int]:
    return [one.post_id for one in found]


def test_interest_decides_and_says_why() -> None:
    found = rank([post(1, topic_oil=1.0), post(2, entity_1=1.0), post(3)], profile=READER, now=NOW)
    assert ids(found) == [2, 3, 1]
    first, second = found[0].reasons
    assert (first.feature, second.feature) == ("entity:1", "recency")
    assert first.contribution == pytest.approx(0.8)
    assert second.contribution == pytest.approx(RECENCY_WEIGHT / 2)


def test_a_new_reader_gets_what_is_new_and_popular() -> None:
    candidates = [post(1, days_ago=9), post(2, days_ago=9, popularity=1.0), post(3, days_ago=0)]
    found = rank(candidates, profile=Profile(), now=NOW)
    assert ids(found) == [3, 2, 1]
    assert {reason.feature for one in found for reason in one.reasons} == {"recency", "popularity"}


def test_what_resembles_the_first_costs() -> None:
    candidates = [post(1, entity_1=1.0), post(2, entity_1=1.0, days_ago=1.1), post(3, entity_2=1.0)]
    tired = Profile(weights={"entity:1": 0.2})
    found = rank(candidates, profile=tired, now=NOW)
    assert ids(found) == [1, 3, 2]
    assert next(reason for reason in found[2].reasons if reason.feature == "similar_to_above").contribution == (
        pytest.approx(-DIVERSITY_WEIGHT)
    )


def test_what_was_seen_is_left_out_unless_asked_for() -> None:
    candidates = [post(1, is_seen=True), post(2, days_ago=5)]
    assert ids(rank(candidates, profile=READER, now=NOW)) == [2]
    assert ids(rank(candidates, profile=READER, now=NOW, exclude_seen=False)) == [1, 2]
    assert rank(candidates, profile=READER, now=NOW, limit=0) == ()
    assert rank([], profile=READER, now=NOW) == ()


def test_posts_from_the_future_are_no_newer_than_now_and_popularity_ends_at_one() -> None:
    found = rank([post(1, days_ago=-3, popularity=40.0)], profile=Profile(), now=NOW)
    assert found[0].score == pytest.approx(0.7)


CANDIDATES = st.lists(
    st.builds(
        post,
        st.integers(1, 999),
        days_ago=st.floats(-1, 60),
        entity_1=st.floats(0, 1),
        topic_oil=st.floats(0, 1),
        entity_2=st.floats(0, 1),
        popularity=st.floats(0, 1),
    ),
    max_size=12,
    unique_by=lambda one: one.post_id,
)


@settings(deadline=None)
@given(CANDIDATES)
def test_reasons_add_up_and_scores_fall(candidates: list[Candidate]) -> None:
    found = rank(candidates, profile=READER, now=NOW, limit=8)
    assert len(found) == min(8, len(candidates))
    for one in found:
        assert one.score == math.fsum(reason.contribution for reason in one.reasons)
    assert all(first.score >= second.score - 1e-9 for first, second in pairwise(found))
