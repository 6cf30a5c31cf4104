"""The study's rows that change the training data: half of it, other rows added to that half, or suspects dropped."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from models.examples import Example
from models.labels import Task
from models.runtime import Runtime
from training.data.tasks import TaskData, comparison_key, load_task, sample_rows
from training.techniques.active_learning import choose_rows_to_label
from training.techniques.label_noise import VECTORS, find_label_noise
from training.techniques.pseudo_labels import TeacherEnsemble, add_training_rows, open_teachers

MAX_UNUSED_ROWS = 3000


@dataclass(frozen=True)
class RowContext:
    """The study's folder of runs, the folder of the corpora, and the seed of the study's row."""

    folder: Path
    root: Path
    seed: int


def halve_rows(data: Mapping[str, TaskData], *, place: RowContext) -> dict[str, TaskData]:
    """Return a random half of every task's training rows."""
    return {
        name: _replace_training_rows(entry, sample_rows(rows, cap=len(rows) // 2, seed=f"{place.seed}/{name}/half"))
        for name, entry in data.items()
        for rows in [entry.splits["train"]]
    }


def add_random_rows(data: Mapping[str, TaskData], *, place: RowContext) -> dict[str, TaskData]:
    """Return a random half of the training rows and as many random rows of the same corpora (control of `asked`)."""
    halves = halve_rows(data, place=place)
    return {
        name: add_training_rows(
            half, _unused_rows(half, place=place)[: len(data[name].splits["train"]) - len(half.splits["train"])]
        )
        for name, half in halves.items()
    }


def add_informative_rows(data: Mapping[str, TaskData], *, place: RowContext) -> dict[str, TaskData]:
    """Return a random half of the training rows and as many rows that active learning chooses.

    The network trained on the half chooses among at most 3,000 other rows of the same corpora (active_learning.py).
    """
    halves = halve_rows(data, place=place)
    with TemporaryDirectory(prefix="asked-") as work:
        teachers = open_teachers((f"half-{place.seed}",), beside=place.folder, work=Path(work))
        found = {}
        for name, half in halves.items():
            n = len(data[name].splits["train"]) - len(half.splits["train"])
            found[name] = add_training_rows(
                half, _choose_informative(_unused_rows(half, place=place), task=half.task, teachers=teachers, n=n)
            )
        return found


def _choose_informative(pool: Sequence[Example], *, task: Task, teachers: TeacherEnsemble, n: int) -> list[Example]:
    logits, vectors = teachers.outputs(pool, task=task)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    return [pool[at] for at in choose_rows_to_label(powers / powers.sum(axis=1, keepdims=True), vectors=vectors, n=n)]


def _unused_rows(half: TaskData, *, place: RowContext) -> list[Example]:
    """Return at most 3,000 rows of the task's corpora that are not in the half, in random order."""
    known = {comparison_key(row.text) for row in half.splits["train"]}
    whole = load_task(half.task.name, root=place.root, splits=("train",)).splits["train"]
    free = [row for row in whole if comparison_key(row.text) not in known]
    random.Random(f"{place.seed}/{half.task.name}/pool").shuffle(free)
    return free[:MAX_UNUSED_ROWS]


def drop_suspect_rows(data: Mapping[str, TaskData], *, place: RowContext) -> dict[str, TaskData]:
    """Drop the training rows whose label is probably wrong (techniques/label_noise.py)."""
    encoder = Runtime.open(VECTORS)
    return {
        name: _replace_training_rows(entry, _rows_without_suspects(entry, encoder=encoder, seed=place.seed))
        for name, entry in data.items()
    }


def _rows_without_suspects(entry: TaskData, *, encoder: Runtime, seed: int) -> list[Example]:
    noise = find_label_noise(entry, encoder=encoder, seed=seed)
    wrong = {id(noise.rows[one.row]) for one in noise.suspects} if noise else set()
    return [row for row in entry.splits["train"] if id(row) not in wrong]


def split_training_rows(data: Mapping[str, TaskData], *, share: float, seed: int) -> dict[str, TaskData]:
    """Split the training rows; a share of them takes the place of the validation rows, for a search to score on."""
    found = {}
    for name, entry in data.items():
        rows = entry.splits["train"]
        out = set(random.Random(f"{seed}/{name}/search").sample(range(len(rows)), round(share * len(rows))))
        parts = ([row for at, row in enumerate(rows) if (at in out) is wanted] for wanted in (False, True))
        found[name] = replace(entry, splits=dict(zip(("train", "validation"), parts, strict=True)))
    return found


def _replace_training_rows(entry: TaskData, rows: Sequence[Example]) -> TaskData:
    return replace(entry, splits=dict(entry.splits) | {"train": list(rows)})
