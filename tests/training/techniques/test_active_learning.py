"""The rows to label are uncertain and unlike each other."""

from __future__ import annotations

import numpy as np

from training.techniques.active_learning import choose_rows_to_label


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
