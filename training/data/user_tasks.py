"""A user's own task: examples in a CSV or JSONL file, or in a Hugging Face data set.

A row that cannot be used raises DataError; with `skip_bad_rows` it is reported and left out.
"""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from models.examples import Example, ExampleError, from_row, read_examples
from models.labels import ROLES, Kind, Pooling, Role, Task, make_task
from training.data.corpora import SPLITS, DataError, JsonRow
from training.data.splits import split_rows
from training.data.tasks import TaskData, sample_rows
from training.recipe import TaskRecipe

_SPLIT_NAMES = {"train": "train", "validation": "validation", "valid": "validation", "dev": "validation"} | {
    "test": "test"
}
_REPLACEMENT_CHARACTER = "\ufffd"


def load_user_task(recipe: TaskRecipe, *, seed: int = 0, skip_bad_rows: bool = False) -> tuple[TaskData, list[str]]:
    """Read a user's task; return it with one sentence for each row that was left out. Raises DataError.

    Rows that name no split are split by label and seed: 80 % train, 10 % validation, 10 % test.
    """
    bad: list[str] = []
    rows = [replace(row, task=recipe.name) for row in _read_rows(recipe, bad=bad)]
    rows = list(_drop_undecoded(rows, where=recipe.data, bad=bad))
    if recipe.kind == "single":
        rows = [row for row in rows if _has_one_label(row, bad=bad)]
    splits = split_rows(rows, seed=seed)
    splits = _drop_unknown_labels(splits, bad=bad)
    if bad and not skip_bad_rows:
        count = f"{len(bad)} bad rows in all" if len(bad) > 1 else "1 bad row"
        raise DataError(f"{recipe.data}: {bad[0]} {count}; mend them, or skip them with --skip-bad-rows.")
    labels = _label_names(splits["train"], where=recipe.data)
    pooling: Pooling = "span" if any(row.target for row in rows) else "mean"
    task = _make_task(recipe, pooling=pooling, labels=labels)
    splits["train"] = sample_rows(splits["train"], cap=recipe.cap, seed=f"{seed}/{recipe.name}")
    return TaskData(task, splits, (recipe.data,)), bad


def _make_task(recipe: TaskRecipe, *, pooling: Pooling, labels: Iterable[str]) -> Task:
    if recipe.role not in ROLES:
        raise DataError(f"There is no role {recipe.role!r}; a task has one of: {', '.join(ROLES)}.")
    try:
        return make_task(
            recipe.name, role=cast(Role, recipe.role), kind=cast(Kind, recipe.kind), pooling=pooling, labels=labels
        )
    except ValueError as error:
        raise DataError(str(error)) from error


def _read_rows(recipe: TaskRecipe, *, bad: list[str]) -> Iterator[Example]:
    path = Path(recipe.data)
    if path.suffix == ".csv" and path.is_file():
        yield from _read_csv(path, recipe=recipe, bad=bad)
    elif path.suffix in (".jsonl", ".ndjson") and path.is_file():
        yield from read_examples(path, on_error=bad)
    elif path.suffix in (".csv", ".jsonl", ".ndjson"):
        raise DataError(f"There is no file {path}.")
    else:
        yield from _read_dataset(recipe, bad=bad)


def _read_csv(path: Path, *, recipe: TaskRecipe, bad: list[str]) -> Iterator[Example]:
    """Read a CSV file with a header line; `|` separates the labels of a multi-label task."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.DictReader(lines)
        _check_columns(reader.fieldnames or (), recipe=recipe)
        yield from _parse_rows(reader, recipe=recipe, where=path.name, first=2, bad=bad)


def _read_dataset(recipe: TaskRecipe, *, bad: list[str]) -> Iterator[Example]:
    """Read every split of a Hugging Face data set; integers of a ClassLabel column become label names."""
    datasets = importlib.import_module("datasets")
    try:
        found = datasets.load_dataset(recipe.data)
    except Exception as error:
        # The library raises many kinds of errors when it cannot find or read a data set.
        raise DataError(f"{recipe.data} is neither a CSV or JSONL file nor a readable data set: {error}") from error
    for name, part in found.items():
        _check_columns(part.column_names, recipe=recipe)
        feature = part.features[recipe.label_column]
        names = feature.names if isinstance(feature, datasets.ClassLabel) else None
        split = _SPLIT_NAMES.get(str(name), "")
        rows = (
            dict(row) | {"split": split} | _label_name(row, column=recipe.label_column, names=names) for row in part
        )
        yield from _parse_rows(rows, recipe=recipe, where=f"{recipe.data} {name}", first=1, bad=bad)


def _label_name(row: JsonRow, *, column: str, names: list[str] | None) -> dict[str, str]:
    """Return the column with the name of a ClassLabel's integer; empty when the column needs no change."""
    return {} if names is None or row[column] is None else {column: names[row[column]]}


def _check_columns(columns: Iterable[str], *, recipe: TaskRecipe) -> None:
    for column in (recipe.text_column, recipe.label_column):
        if column not in columns:
            known = ", ".join(columns) or "none"
            raise DataError(
                f"{recipe.data} has no column {column!r}. Its columns: {known}; name yours with "
                "--text-column and --label-column."
            )


def _parse_rows(
    rows: Iterable[JsonRow], *, recipe: TaskRecipe, where: str, first: int, bad: list[str]
) -> Iterator[Example]:
    for number, row in enumerate(rows, start=first):
        given = dict(row) | {"text": row[recipe.text_column]} | _parse_labels(row[recipe.label_column], recipe=recipe)
        try:
            yield from_row(given)
        except ExampleError as error:
            bad.append(f"{where}, row {number}: {error}.")


def _parse_labels(cell: object, *, recipe: TaskRecipe) -> dict[str, object]:
    if recipe.kind == "multi" and isinstance(cell, str):
        return {"labels": [part.strip() for part in cell.split("|") if part.strip()]}
    return {"labels": list(cell)} if isinstance(cell, list | tuple) else {"label": cell}


def _drop_undecoded(rows: Iterable[Example], *, where: str, bad: list[str]) -> Iterator[Example]:
    """Yield the rows whose text is valid UTF-8; bytes that are not were decoded to U+FFFD."""
    for number, row in enumerate(rows, start=1):
        if _REPLACEMENT_CHARACTER in row.text:
            bad.append(f"{Path(where).name}, example {number}: the text is not UTF-8: {row.text[:40]!r}.")
        else:
            yield row


def _has_one_label(row: Example, *, bad: list[str]) -> bool:
    if len(row.labels) == 1:
        return True
    bad.append(f"a single-label task got {len(row.labels)} labels: {row.text[:40]!r}.")
    return False


def _drop_unknown_labels(splits: dict[str, list[Example]], *, bad: list[str]) -> dict[str, list[Example]]:
    """Drop validation and test rows with a label that no training row has, and report such labels in `bad`."""
    known = {label for row in splits["train"] for label in row.labels}
    kept = {"train": splits["train"]}
    for split in SPLITS[1:]:
        kept[split] = [row for row in splits[split] if known.issuperset(row.labels)]
        strange = sorted({label for row in splits[split] for label in row.labels} - known)
        bad += [f"the {split} rows have a label that training never saw: {label!r}." for label in strange]
    return kept


def _label_names(rows: Iterable[Example], *, where: str) -> list[str]:
    found = sorted({label for row in rows for label in row.labels})
    if len(found) < 2:
        what = f"only the label {found[0]!r}" if found else "no labelled rows"
        raise DataError(f"{where} has {what} for training; a task needs at least two labels.")
    return found
