"""A user's own data: CSV, JSONL and a Hugging Face data set, and what bad data say."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest

from tests.training.corpora import write_rows
from training.data.corpora import DataError
from training.data.user_tasks import load_user_task
from training.recipe import TaskRecipe

datasets = import_module("datasets")
_ROWS = [(f"text {label} {at}", label) for label in ("card", "loan") for at in range(20)]


def _csv(path: Path, *, rows: Iterable[tuple[str, str]] = _ROWS, header: str = "text,label") -> TaskRecipe:
    path.write_text(header + "\n" + "".join(f'"{text}",{label}\n' for text, label in rows), encoding="utf-8")
    return TaskRecipe(name="mine", data=str(path))


def test_csv_with_text_and_label_works_as_it_is(tmp_path: Path) -> None:
    data, bad = load_user_task(_csv(tmp_path / "a.csv"))
    assert bad == []
    assert data.task.names == ("card", "loan")
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": 32, "validation": 4, "test": 4}
    texts = [row.text for rows in data.splits.values() for row in rows]
    assert sorted(texts) == sorted(text for text, _ in _ROWS)
    assert data == load_user_task(_csv(tmp_path / "a.csv"))[0]
    assert data.splits != load_user_task(_csv(tmp_path / "a.csv"), seed=1)[0].splits


def test_other_headers_are_named(tmp_path: Path) -> None:
    recipe = _csv(tmp_path / "a.csv", header="message,intent")
    with pytest.raises(DataError, match=r"no column 'text'. Its columns: message, intent; .*--text-column"):
        load_user_task(recipe)
    named = TaskRecipe(name="mine", data=recipe.data, text_column="message", label_column="intent")
    assert len(load_user_task(named)[0].splits["train"]) == 32


def test_jsonl_keeps_its_splits_and_targets(tmp_path: Path) -> None:
    rows = [
        {"text": f"Apple {at}", "target": "Apple", "label": "up" if at % 2 else "down", "split": split}
        for at, split in enumerate(["train"] * 6 + ["validation"] * 2 + ["test"] * 2)
    ]
    data, _ = load_user_task(TaskRecipe(name="mine", data=str(write_rows(tmp_path / "a.jsonl", rows=rows))))
    assert {split: len(found) for split, found in data.splits.items()} == {"train": 6, "validation": 2, "test": 2}
    assert data.task.pooling == "span"
    assert data.splits["train"][0].span == (0, 5)


def test_hugging_face_folder_with_class_names(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["zoo", "ape"])})
    for split, count in (("train", 8), ("test", 4)):
        rows = {"text": [f"{split} {at}" for at in range(count)], "label": [at % 2 for at in range(count)]}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / f"{split}.parquet")
    data, _ = load_user_task(TaskRecipe(name="mine", data=str(tmp_path)))
    assert data.task.names == ("ape", "zoo")
    assert data.splits["test"][0].labels == ("zoo",)
    assert len(data.splits["test"]) == 4
    assert len(data.splits["validation"]) == 2


def test_several_labels_in_a_csv_cell(tmp_path: Path) -> None:
    recipe = _csv(tmp_path / "a.csv", rows=[(f"t{at}", "a|b" if at % 2 else "b") for at in range(20)])
    data, _ = load_user_task(TaskRecipe(name="mine", data=recipe.data, kind="multi"))
    assert data.task.names == ("a", "b")
    assert {row.labels for row in data.splits["train"]} == {("a", "b"), ("b",)}


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (("", "card"), "the text is empty"),
        (("lost", ""), "the label is empty"),
        (("caf\ufffd", "card"), "not UTF-8"),
    ],
)
def test_bad_row_stops_or_is_left_out(tmp_path: Path, extra: tuple[str, str], sentence: str) -> None:
    recipe = _csv(tmp_path / "a.csv", rows=[*_ROWS, extra])
    with pytest.raises(DataError, match=f"{sentence}.* 1 bad row; .*--skip-bad-rows"):
        load_user_task(recipe)
    data, bad = load_user_task(recipe, skip_bad_rows=True)
    assert sum(len(rows) for rows in data.splits.values()) == 40
    assert len(bad) == 1


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        b"text,label\n" + b"caf\xe9,card\n" + "".join(f"{t},{x}\n" for t, x in _ROWS).encode()
    )
    with pytest.raises(DataError, match="not UTF-8"):
        load_user_task(TaskRecipe(name="mine", data=str(tmp_path / "a.csv")))


def test_one_label_only_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only the label 'card' for training; a task needs at least two"):
        load_user_task(_csv(tmp_path / "a.csv", rows=_ROWS[:20]))


def test_label_that_training_never_saw(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label, "split": "train"} for text, label in _ROWS]
    rows.append({"text": "new", "label": "mortgage", "split": "test"})
    recipe = TaskRecipe(name="mine", data=str(write_rows(tmp_path / "a.jsonl", rows=rows)))
    with pytest.raises(DataError, match="the test rows have a label that training never saw: 'mortgage'"):
        load_user_task(recipe)
    data, bad = load_user_task(recipe, skip_bad_rows=True)
    assert data.splits["test"] == []
    assert len(bad) == 1


def test_names_that_are_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*gone\.csv"):
        load_user_task(TaskRecipe(name="mine", data=str(tmp_path / "gone.csv")))
    with pytest.raises(DataError, match="neither a CSV or JSONL file nor a readable data set"):
        load_user_task(TaskRecipe(name="mine", data=str(tmp_path / "gone")))
    with pytest.raises(DataError, match="There is no role 'mood'"):
        load_user_task(TaskRecipe(name="mine", role="mood", data=_csv(tmp_path / "a.csv").data))
