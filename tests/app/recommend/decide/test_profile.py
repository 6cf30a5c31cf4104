from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.durations import DAY_MS
from app.recommend.decide.profile import HALF_LIFE_MS, profile
from app.recommend.domain import Feedback, FeedbackKind

NOW = 1_770_000_000_000


def did(kind: FeedbackKind, *, post_id: int = 1, days_ago: float = 0) -> Feedback:
    return Feedback(user_id=1, post_id=post_id, kind=kind, at=NOW - round(days_ago * DAY_MS))


def weights(*seen: tuple[Feedback, dict[str, float]]) -> dict[str, float]:
    return dict(profile(seen, now=NOW).weights)


def test_nothing_done_is_no_interest() -> None:
    found = profile([], now=NOW)
    assert (found.weights, found.n_feedback) == ({}, 0)


def test_liking_counts_three_times_reading_and_hiding_against() -> None:
    found = weights(
        (did("like", post_id=1), {"topic:a": 1.0}),
        (did("read", post_id=2), {"topic:b": 1.0}),
        (did("hide", post_id=3), {"topic:c": 1.0}),
    )
    assert found["topic:a"] == pytest.approx(3 * found["topic:b"])
    assert found["topic:c"] == pytest.approx(-found["topic:a"])
    assert math.hypot(*found.values()) == pytest.approx(1.0)


def test_half_is_forgotten_in_a_half_life() -> None:
    old = HALF_LIFE_MS / DAY_MS
    found = weights((did("read", post_id=1, days_ago=old), {"a": 1.0}), (did("read", post_id=2), {"b": 1.0}))
    assert found["b"] == pytest.approx(2 * found["a"])


def test_reading_twice_counts_once_and_of_like_and_hide_the_later_holds() -> None:
    twice = profile([(did("read", days_ago=3), {"a": 1.0}), (did("read", days_ago=1), {"a": 1.0})], now=NOW)
    assert twice.n_feedback == 1
    other = (did("read", post_id=2), {"b": 1.0})
    changed = weights((did("hide"), {"a": 1.0}), (did("like", days_ago=2), {"a": 1.0}), other)
    assert changed["a"] < 0


def test_feedback_from_the_future_is_fresh() -> None:
    assert weights((did("read", days_ago=-400), {"a": 1.0})) == {"a": 1.0}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.builds(
                did,
                st.sampled_from(["read", "like", "hide"]),
                post_id=st.integers(1, 5),
                days_ago=st.floats(0, 900),
            ),
            st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), max_size=3),
        )
    )
)
def test_weights_stay_within_bounds(seen: list[tuple[Feedback, dict[str, float]]]) -> None:
    assert all(-1.000001 <= weight <= 1.000001 for weight in profile(seen, now=NOW).weights.values())
