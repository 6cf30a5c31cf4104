"""Doubtful texts are chosen, and those unlike each other."""

from __future__ import annotations

import numpy as np
import pytest

from models.active_learning import most_informative

EAST, NORTH, WEST = (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)


def vectors(*rows: tuple[float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Vectors of unit length."""
    return np.array(rows, np.float32)


def test_the_most_doubtful_is_asked_first_then_what_is_unlike_it() -> None:
    margins = [0.02, 0.01, 0.05, 0.03, 0.9, 0.95, 0.99, 0.97]
    found = most_informative(margins, vectors=vectors(EAST, EAST, WEST, EAST, NORTH, NORTH, NORTH, NORTH), n=2)
    assert found == [1, 2]


def test_what_is_sure_is_not_asked_about_while_there_is_doubt() -> None:
    margins = [0.9, 0.1, 0.2, 0.8]
    assert most_informative(margins, vectors=vectors(WEST, EAST, EAST, NORTH), n=2) == [1, 2]


def test_the_same_text_ten_times_is_never_chosen_twice() -> None:
    found = most_informative([0.1] * 10, vectors=vectors(*[EAST] * 10), n=6)
    assert len(set(found)) == 6


@pytest.mark.parametrize(("n_texts", "n"), [(0, 20), (3, 20), (3, 0)])
def test_there_may_be_fewer_texts_than_are_wanted(n_texts: int, n: int) -> None:
    found = most_informative([0.5] * n_texts, vectors=vectors(*[EAST] * n_texts).reshape(-1, 2), n=n)
    assert sorted(found) == list(range(min(n_texts, n)))
