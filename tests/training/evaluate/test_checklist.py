from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.labels import make_task
from models.runtime import Input
from tests.tiny_artifact import tiny_tasks
from training.evaluate.checklist import ChecklistError, read_tests, run_tests

TASK = make_task("mood", role="sentiment", kind="single", pooling="mean", labels=("negative", "neutral", "positive"))


def _sees_words(task: str, items: Sequence[Input]) -> np.ndarray:
    """A model that counts words and knows no negation."""
    bad = np.asarray([any(word in item.text.lower() for word in ("terrible", "awful", "hate", "bad"))
                      for item in items], float)  # fmt: skip
    return np.stack([0.1 + 0.8 * bad, np.full(len(items), 0.15), 0.75 - 0.7 * bad], axis=1)


def test_the_shipped_tests_are_whole_and_their_targets_are_found() -> None:
    tests = read_tests()
    assert {test.kind for test in tests} == {"MFT", "INV", "DIR"}
    for test in tests:
        for text, twin in test.cases():
            assert "{" not in text.text + (twin.text if twin else ""), test.name
            assert bool(test.target) == bool(text.target), test.name
            assert twin is None or bool(test.target) == bool(twin.target), test.name
            assert twin is None or twin != text, test.name


def test_every_kind_fails_where_it_should() -> None:
    found = {row["name"]: row for row in run_tests(read_tests(), tasks={"mood": TASK}, read=_sees_words)}
    assert found["plain negative words"]["failed"] < found["a negated positive word is negative"]["failed"]
    assert found["names and places change no feeling"]["failed"] == 0
    negation = found["a negated negative word is not negative"]
    assert negation["failed"] == 0
    assert found["praise at the end does not sadden"]["failed"] == 0
    assert found["plain facts"]["examples"][0]["answer"] == "positive"
    assert {row["task"] for row in found.values()} == {"mood"}


def test_a_direction_against_the_rule_is_a_failure() -> None:
    def perverse(task: str, items: Sequence[Input]) -> np.ndarray:
        return 1 - _sees_words(task, items)

    found = {row["name"]: row for row in run_tests(read_tests(), tasks={"mood": TASK}, read=perverse)}
    row = found["a complaint at the end does not cheer"]
    assert row["failed"] > 0
    assert len(row["examples"]) <= 5


def test_tests_for_other_tasks_and_labels_are_left_out() -> None:
    other = make_task("other", role="intent", kind="single", pooling="mean", labels=("a", "b"))
    assert run_tests(read_tests(), tasks={"other": other}, read=_sees_words) == []
    assert any(test.applies_to(task) for test in read_tests() for task in tiny_tasks().values())


def test_a_test_that_is_written_wrongly_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[test]]\nname = "x"\nkind = "INV"\nrole = "sentiment"\ntexts = ["a"]\n')
    with pytest.raises(ChecklistError, match="'x' needs a twin"):
        read_tests(path)
    path.write_text('[[test]]\nname = "x"\nkind = "MFT"\nrole = "sentiment"\ntexts = ["a"]\n')
    with pytest.raises(ChecklistError, match="needs a label"):
        read_tests(path)
    path.write_text("[[test]]\ntypo = 1\n")
    with pytest.raises(ChecklistError, match="cannot be read"):
        read_tests(path)
