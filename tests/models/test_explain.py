from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.explain import MAX_PIECES, explain
from models.runtime import Input


def _angry(texts: Sequence[Input]) -> np.ndarray:
    """A model that can be seen through: each `bad` adds 0.3, `good` takes 0.1 away."""
    return np.asarray([0.1 + 0.3 * item.text.split().count("bad") - 0.1 * item.text.split().count("good")
                       for item in texts])  # fmt: skip


def test_weights_are_what_the_label_loses_without_the_word() -> None:
    found = explain(Input("this is bad and good stuff"), score=_angry, label="anger")
    by_word = {"this is bad and good stuff"[w.start : w.end]: w.weight for w in found.weights}
    assert by_word == pytest.approx({"this": 0, "is": 0, "bad": 0.3, "and": 0, "good": -0.1, "stuff": 0})
    assert found.probability == pytest.approx(0.3)
    assert found.deletion_drop == pytest.approx(0.3)
    assert found.fidelity > 0


def test_a_blind_model_has_no_fidelity() -> None:
    found = explain(Input("nothing here matters at all"), score=lambda texts: np.full(len(texts), 0.5), label="x")
    assert found.fidelity == 0
    assert all(weight.weight == 0 for weight in found.weights)


@pytest.mark.parametrize("text", ["", "   ", "one"])
def test_short_texts(text: str) -> None:
    assert len(explain(Input(text), score=_angry, label="anger").weights) == len(text.split())


@given(n_words=st.integers(1, 400))
def test_pieces_cover_all_words_and_stay_few(n_words: int) -> None:
    text = " ".join(f"w{at}" for at in range(n_words))
    weights = explain(Input(text), score=_angry, label="anger").weights
    assert len(weights) <= MAX_PIECES
    assert " ".join(text[w.start : w.end] for w in weights) == text


def test_the_target_stays_and_moves_with_the_text() -> None:
    text = "bad news for Apple today"
    seen: list[str] = []

    def score(texts: Sequence[Input]) -> np.ndarray:
        for item in texts:
            assert item.target is not None
            seen.append(item.text[item.target[0] : item.target[1]])
        return _angry(texts)

    weights = explain(Input(text, (13, 18)), score=score, label="anger").weights
    assert [text[w.start : w.end] for w in weights] == ["bad", "news", "for", "today"]
    assert set(seen) == {"Apple"}
