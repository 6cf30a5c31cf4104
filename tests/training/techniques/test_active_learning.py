"""What to look at next, on clouds of points whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.techniques.active_learning import (
    agreement,
    choose_rows_to_label,
    confident_labels,
    find_suspects,
    held_out_probabilities,
    is_enough,
)


def _clouds(*, n: int = 240, spread: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = np.arange(n) % 3
    centres = np.asarray([[0, 0], [4, 0], [0, 4]], np.float32)
    return (centres[targets] + rng.normal(scale=spread, size=(n, 2))).astype(np.float32), targets.astype(np.int64)


def test_wrong_labels_are_found_with_the_likelier_one() -> None:
    vectors, truth = _clouds()
    given = truth.copy()
    wrong = [3, 50, 77, 120, 201]
    given[wrong] = (truth[wrong] + 1) % 3
    found = find_suspects(held_out_probabilities(vectors, targets=given), targets=given)
    assert {row.row for row in found} <= set(wrong)
    assert len(found) >= 3
    assert all(row.likelier == truth[row.row] and row.given == given[row.row] for row in found)
    assert [row.quality for row in found] == sorted(row.quality for row in found)


def test_clean_labels_raise_little_suspicion() -> None:
    vectors, truth = _clouds(spread=0.3)
    assert find_suspects(held_out_probabilities(vectors, targets=truth), targets=truth) == []


def test_questions_are_uncertain_and_unlike_each_other() -> None:
    vectors = np.asarray([[0, 0], [0, 0.01], [0, 0.02], [5, 5], [9, 9], [9, 9.1]], np.float32)
    sure = np.asarray([0.5, 0.5, 0.5, 0.55, 0.99, 0.99])
    found = choose_rows_to_label(np.stack([sure, 1 - sure], axis=1), vectors=vectors, n=2)
    assert found[0] in (0, 1, 2)
    assert found[1] == 2 if found[0] != 2 else 0
    wider = choose_rows_to_label(np.stack([sure, 1 - sure], axis=1), vectors=vectors, n=4)
    assert set(wider) == {0, 1, 2, 3}
    assert wider[1] == 3
    assert choose_rows_to_label(np.zeros((0, 2)), vectors=np.zeros((0, 2), np.float32), n=3) == []


def test_nothing_is_asked_twice_even_where_all_say_the_same() -> None:
    same = np.ones((6, 2), np.float32)
    assert sorted(choose_rows_to_label(np.full((6, 2), 0.5), vectors=same, n=6)) == list(range(6))


def test_asking_stops_when_answers_hold_still() -> None:
    rng = np.random.default_rng(1)
    moving = [rng.integers(0, 3, 200) for _ in range(4)]
    assert not is_enough(moving)
    assert is_enough([*moving, *([moving[-1]] * 3)])
    assert not is_enough([moving[0]] * 3)


def test_agreement_by_hand() -> None:
    one, two = np.asarray([0, 0, 1, 1]), np.asarray([0, 0, 1, 0])
    assert agreement(one, second=two) == pytest.approx((0.75 - 0.5) / 0.5)
    assert agreement(one, second=one) == 1
    assert agreement(np.zeros(4, np.int64), second=np.zeros(4, np.int64)) == 1


def test_only_what_is_sure_and_steady_becomes_a_label() -> None:
    found = np.asarray([[0.97, 0.03], [0.97, 0.03], [0.6, 0.4], [0.01, 0.99]])
    changed = np.asarray([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]])
    assert confident_labels(found, changed=changed) == {0: 0, 3: 1}
    assert confident_labels(found, changed=changed, sure=0.5) == {0: 0, 2: 0, 3: 1}
