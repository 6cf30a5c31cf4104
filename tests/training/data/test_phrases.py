"""Hand-written messages, and the mail boilerplate around requests."""

from __future__ import annotations

import pytest

from models.labels import OUT_OF_SCOPE
from tests import corpora
from training.data.boilerplate import add_boilerplate, gets_boilerplate
from training.data.corpora import read_corpus
from training.data.phrases import NAME, REPEATS, describe_phrases, load_phrases
from training.data.tasks import comparison_key


def test_every_message_is_in_one_split_alone() -> None:
    train = {row.text for row in load_phrases("commerce_intent", split="train")}
    held = {row.text for row in load_phrases("commerce_intent", split="validation")}
    assert held
    assert not train & held
    assert load_phrases("commerce_intent", split="test") == []


def test_training_sees_a_message_bare_and_enclosed() -> None:
    rows = load_phrases("commerce_intent", split="train")
    bare = rows[: len(rows) // REPEATS]
    assert len(bare) * REPEATS == len(rows)
    for at, row in enumerate(bare):
        again = rows[len(bare) + at]
        assert row.text in again.text
        assert len(again.text) > len(row.text)
        assert again.labels == row.labels


def test_no_message_stands_twice_and_each_says_where_it_comes_from() -> None:
    rows = load_phrases("commerce_intent", split="train")
    bare = [comparison_key(row.text) for row in rows[: len(rows) // REPEATS]]
    assert len(set(bare)) == len(bare)
    assert {row.source for row in rows} == {NAME}
    description = describe_phrases()
    assert description["rows"]["train"] == len(rows)


def test_a_task_without_messages_has_none() -> None:
    assert load_phrases("sentiment", split="train") == []


@pytest.mark.corpora
def test_labels_are_those_of_the_corpus() -> None:
    known = {label for row in read_corpus("bitext", root=corpora.folder(), split="train") for label in row.labels}
    assert {row.labels[0] for row in load_phrases("commerce_intent", split="train")} == known | {OUT_OF_SCOPE}


@pytest.mark.corpora
def test_no_message_is_a_test_row() -> None:
    tested = {comparison_key(row.text) for row in read_corpus("bitext", root=corpora.folder(), split="test")}
    assert not tested & {comparison_key(row.text) for row in load_phrases("commerce_intent", split="train")}


def test_boilerplate_follows_from_its_seed() -> None:
    assert add_boilerplate("where is it", seed="7") == add_boilerplate("where is it", seed="7")
    assert len({add_boilerplate("where is it", seed=str(seed)) for seed in range(50)}) > 30
    for seed in range(50):
        assert "where is it" in add_boilerplate("where is it", seed=str(seed))
        assert add_boilerplate("where is it", seed=str(seed)) != "where is it"


def test_a_fixed_share_of_requests_is_enclosed() -> None:
    assert 0.12 < sum(gets_boilerplate(str(seed)) for seed in range(4000)) / 4000 < 0.18
