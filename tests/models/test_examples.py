"""Examples: one JSON line, there and back, and what a bad line says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.examples import Example, ExampleError, from_row, read_examples, write_examples

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
_LABEL = _TEXT.map(str.strip)


@given(text=_TEXT, labels=st.lists(_LABEL, max_size=3), task=st.sampled_from(["", "mine"]))
def test_round_trip(text: str, labels: list[str], task: str) -> None:
    example = Example(text=text, labels=tuple(labels), task=task, split="train", source="me")
    line = example.to_json()
    assert "\n" not in line
    assert from_row(json.loads(line)) == example


def test_file_round_trip_keeps_targets(tmp_path: Path) -> None:
    example = from_row({"text": "Apple falls, Tesla gains", "target": "Tesla", "label": "positive"})
    assert example.span == (13, 18)
    assert write_examples(tmp_path / "x.jsonl", examples=[example, example]) == 2
    assert list(read_examples(tmp_path / "x.jsonl")) == [example, example]


def test_target_is_found_in_any_case_or_left_open() -> None:
    assert from_row({"text": "buy APPLE now", "target": "Apple", "label": "x"}).span == (4, 9)
    assert from_row({"text": "buy now", "target": "Apple", "label": "x"}).span is None


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"text": " ", "label": "a"}, "the text is empty"),
        ({"label": "a"}, "the text is empty"),
        ({"text": "a", "label": ""}, "the label is empty"),
        ({"text": "a"}, "the label is empty"),
        ({"text": "abc", "label": "a", "span": [1, 9]}, "does not lie inside the text"),
    ],
)
def test_bad_row_says_why(row: dict[str, object], sentence: str) -> None:
    with pytest.raises(ExampleError, match=sentence):
        from_row(row)


def test_bad_line_is_named_or_noted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "a", "label": "b"}\n\nnot json\n[1]\n', encoding="utf-8")
    with pytest.raises(ExampleError, match=r"x\.jsonl, line 3: not a JSON object\."):
        list(read_examples(path))
    noted: list[str] = []
    assert [row.text for row in read_examples(path, on_error=noted)] == ["a"]
    assert noted == ["x.jsonl, line 3: not a JSON object.", "x.jsonl, line 4: not a JSON object."]
