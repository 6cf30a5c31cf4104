from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from models.runtime import Input
from training.evaluate.attack import attack_texts, synonyms


def _fragile(items: Sequence[Input]) -> np.ndarray:
    """A model that knows one word of joy: without `happy` it sees none."""
    joy = np.asarray([0.9 if "happy" in item.text.lower() else 0.2 for item in items])
    return np.stack([1 - joy, joy], axis=1)


def test_a_model_that_hangs_on_one_word_is_turned_and_another_is_not() -> None:
    items = [Input("I am happy today"), Input("Happy to help"), Input("no word of it")]
    found = attack_texts(items, columns=[1, 1, 1], score=_fragile)
    assert (found.n, found.attackable, found.turned, found.success_rate) == (2, 2, 2, 1.0)
    assert "happy" not in found.texts[0][1]
    firm = attack_texts(items, columns=[1, 1, 1], score=lambda texts: np.tile([0.1, 0.9], (len(texts), 1)))
    assert (firm.n, firm.turned) == (3, 0)


def test_the_target_is_not_attacked_and_the_budget_is_kept() -> None:
    target = Input("happy", (0, 5))
    assert attack_texts([target], columns=[1], score=_fragile).attackable == 0
    seen: set[str] = set()

    def watching(items: Sequence[Input]) -> np.ndarray:
        seen.update(item.text for item in items)
        return np.tile([0.1, 0.9], (len(items), 1))

    text = "please help me buy a new phone in the shop today"
    attack_texts([Input(text)], columns=[1], score=watching)
    apart = [sum(one != two for one, two in zip(text.split(), other.split(), strict=True))
             for other in seen if len(other.split()) == len(text.split())]  # fmt: skip
    assert max(apart) == 2


def test_synonyms_are_symmetric_single_words() -> None:
    known = synonyms()
    assert all(word in known[other] for word, others in known.items() for other in others)
    assert all(word == word.lower() and " " not in word for word in known)
    assert len(known) > 300


@pytest.mark.parametrize("items", [[], [Input("")]])
def test_nothing_to_attack(items: list[Input]) -> None:
    found = attack_texts(items, columns=[1] * len(items), score=_fragile if items else lambda texts: np.zeros((0, 2)))
    assert found.turned == 0
