"""The held-out behaviour texts are whole: they can be read, and no template stands twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from training.evaluate import checklist

FOLDER = Path(checklist.__file__).with_name("held_out")


def test_the_templates_can_be_read_and_none_stands_twice() -> None:
    for name, n_kinds, n_templates in (("market_meaning", 53, 407), ("desk_meaning", 13, 114)):
        tests = checklist.read_tests(FOLDER / f"{name}.toml")
        templates = [text for test in tests for text in test.texts]
        assert (len(tests), len(templates), len(set(templates))) == (n_kinds, n_templates, n_templates)
        assert {test.label for test in tests} == {"positive", "neutral", "negative"}


def test_no_held_out_text_is_among_those_for_training() -> None:
    own = Path(checklist.__file__).parents[1] / "data" / "own"
    for name in ("market_meaning.toml", "desk_messages.jsonl"):
        held_out, training = (_texts(folder / name) for folder in (FOLDER, own))
        assert training
        assert held_out & training == set()


def _texts(path: Path) -> set[str]:
    if path.suffix == ".toml":
        return {text for test in checklist.read_tests(path) for text in test.texts}
    return {json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()}


def test_the_messages_carry_known_labels() -> None:
    lines = (FOLDER / "desk_messages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["text"] for row in rows}) == 320
    assert set(Counter(row["trade"] for row in rows).values()) == {16}
    assert {row["urgency"] for row in rows} == {"low", "normal", "high", "urgent"}
    assert {row["sentiment"] for row in rows} == {"positive", "neutral", "negative"}
    emotions = {"anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"}
    assert {row["emotion"] for row in rows} == emotions
