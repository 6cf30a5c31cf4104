"""Unlabelled texts for pseudo-labelling, from other corpora or from a user's own file."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from models.examples import Example, ExampleError, from_row
from training.data.corpora import CORPORA, DataError, JsonRow, read_corpus
from training.data.tasks import TASKS, TaskData, comparison_key, sample_rows, test_texts
from training.recipe import TaskRecipe


def load_unlabelled(recipe: TaskRecipe, *, known: TaskData, root: Path | None, cap: int, seed: int) -> list[Example]:
    """Return at most `cap` distinct texts (0: all) of the corpora and files that the task names. Raises DataError.

    Labels are dropped. Texts of the task's own splits and of its corpora's test files are left out.
    """
    taken = {comparison_key(row.text) for rows in known.splits.values() for row in rows}
    if root is not None and recipe.name in TASKS:
        taken |= test_texts(TASKS[recipe.name].corpora, root=root)
    # A text with several targets is kept once for each target.
    found = {(comparison_key(row.text), row.span): row for row in _read_sources(recipe, root=root)}
    free = [replace(row, labels=(), task=recipe.name) for (text, _), row in found.items() if text not in taken]
    return sample_rows(free, cap=cap, seed=f"{seed}/{recipe.name}/unlabelled")


def _read_sources(recipe: TaskRecipe, *, root: Path | None) -> Iterator[Example]:
    for name in recipe.unlabelled:
        if name in CORPORA and root is not None:
            yield from read_corpus(name, root=root, split="train")
        else:
            yield from _read_file(Path(name), column=recipe.text_column)


def _read_file(path: Path, *, column: str) -> Iterator[Example]:
    if not path.is_file():
        raise DataError(f"There is no file or corpus {path} with unlabelled texts. Corpora: {', '.join(CORPORA)}.")
    rows = _read_csv(path, column=column) if path.suffix == ".csv" else _read_jsonl(path)
    for number, row in enumerate(rows, start=1):
        try:
            yield from_row(dict(row) | {"labels": []}, source=path.name)
        except ExampleError as error:
            raise DataError(f"{path}, row {number}: {error}.") from error


def _read_csv(path: Path, *, column: str) -> Iterator[JsonRow]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.DictReader(lines)
        if column not in (reader.fieldnames or ()):
            raise DataError(f"{path} has no column {column!r}; name yours with text_column.")
        yield from ({"text": row[column]} for row in reader)


def _read_jsonl(path: Path) -> Iterator[JsonRow]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line) if line.strip() else None
            except json.JSONDecodeError as error:
                raise DataError(f"{path}, line {number}: not a JSON object.") from error
            if isinstance(row, dict):
                yield row
