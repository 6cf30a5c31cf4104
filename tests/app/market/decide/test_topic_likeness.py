"""Topics by example: the direction of the examples, and how near is near enough."""

from __future__ import annotations

import numpy as np
import pytest

from app.market.decide.topic_likeness import Matrix, fits, learn, score

RNG = np.random.default_rng(5)


def _unit(rows: np.ndarray) -> Matrix:
    found: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def _around(place: int, *, n: int, width: int = 32, common: float = 3.0) -> Matrix:
    """Vectors that all share one strong direction, as texts of one trade do, and lean towards `place`."""
    rows = RNG.normal(scale=0.3, size=(n, width))
    rows[:, 0] += common
    rows[:, place] += 2.0
    return _unit(rows)


NOTHING = np.zeros((0, 32), np.float32)
USUAL = np.concatenate([_around(place, n=40) for place in range(1, 11)])


def test_the_like_are_found_and_the_rest_is_not_though_all_share_much() -> None:
    found = learn(_around(4, n=8), unlike=NOTHING, usual=USUAL, reach=12)
    assert (score(_around(4, n=100), likeness=found) >= found.least).mean() > 0.4
    assert (score(_around(7, n=100), likeness=found) >= found.least).mean() < 0.02


def test_no_more_than_the_share_asked_for_is_found_among_usual_posts() -> None:
    for reach in (1.0, 5.0):
        found = learn(_around(4, n=8), unlike=NOTHING, usual=USUAL, reach=reach)
        assert (score(USUAL, likeness=found) >= found.least).mean() <= reach / 100 + 1 / len(USUAL)


def test_what_is_not_meant_moves_the_topic_away() -> None:
    near = _unit(_around(4, n=20) + _around(5, n=20))
    plain = learn(near, unlike=NOTHING, usual=USUAL, reach=5)
    moved = learn(near, unlike=_around(5, n=10), usual=USUAL, reach=5)
    other = _around(5, n=50)
    assert score(other, likeness=moved).mean() < score(other, likeness=plain).mean() - 0.1


def test_without_usual_posts_the_examples_alone_decide() -> None:
    found = learn(_around(4, n=6), unlike=NOTHING, usual=USUAL[:10], reach=1)
    assert found.centre == (0.0,) * 32
    assert score(_around(4, n=50), likeness=found).mean() > found.least - 0.1


def test_a_score_is_the_cosine_by_hand() -> None:
    examples = _unit(np.asarray([[1.0, 0.0], [0.0, 1.0]]))
    found = learn(examples, unlike=np.zeros((0, 2), np.float32), usual=np.zeros((0, 2), np.float32), reach=1)
    assert found.direction == pytest.approx((0.70711, 0.70711))
    assert float(score(examples[:1], likeness=found)[0]) == pytest.approx(0.70711, abs=1e-4)
    assert fits(examples, likeness=found)
    assert not fits(NOTHING, likeness=found)
