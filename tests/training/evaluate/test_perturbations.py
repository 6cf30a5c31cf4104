from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import ROLES
from models.runtime import Input
from training.evaluate.perturbations import add_typo, changes_for, replace_word, words_outside_target

TEXT = "Tesla shares climb, Apple shares plunge after a warning."


@pytest.mark.parametrize("role", ROLES)
@given(seed=st.integers(0, 10_000))
def test_the_target_keeps_its_words_and_its_place(role: str, seed: int) -> None:
    at = TEXT.index("Apple")
    for name, change in changes_for(role).items():  # type: ignore[arg-type]
        found = change(Input(TEXT, (at, at + 5)), random.Random(seed))
        assert found.target is not None
        assert found.text[slice(*found.target)].lower() == "apple", name


@given(text=st.text(max_size=60), seed=st.integers(0, 10_000))
def test_any_text_can_be_changed(text: str, seed: int) -> None:
    for change in changes_for("sentiment").values():
        assert isinstance(change(Input(text), random.Random(seed)).text, str)


@given(seed=st.integers(0, 10_000))
def test_a_typo_touches_one_word_by_one_letter(seed: int) -> None:
    before, after = TEXT.split(), add_typo(Input(TEXT), random.Random(seed)).text.split()
    other = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    assert len(other) == 1
    assert abs(len(other[0][0]) - len(other[0][1])) <= 1


def test_short_words_and_the_target_have_no_typo() -> None:
    item = Input("go to Northwharf", (6, 16))
    assert all(add_typo(item, random.Random(seed)) == item for seed in range(30))


def test_a_word_in_the_place_of_another_moves_the_target() -> None:
    item = Input("bad news for Apple", (13, 18))
    span = words_outside_target(item)[0]
    found = replace_word(item, span=span, word="terrible")
    assert found.text == "terrible news for Apple"
    assert found.text[slice(*(found.target or (0, 0)))] == "Apple"


def test_upper_case_never_moves_letters() -> None:
    found = changes_for("intent")["upper_case"](Input("Straße " + string.ascii_lowercase), random.Random(0))
    assert found.text == "STRAßE " + string.ascii_uppercase
