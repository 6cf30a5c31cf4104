"""Learn from corrections: train a candidate that starts from the live artifact, and compare the two.

Corrections are few, and all of them come from wrong answers. To keep what the live model knows, they are mixed with a
random sample of the data that it was trained on (rehearsal). If these data are not available, the live model's own
answers on the corrected texts take their place (learning without forgetting, Li and Hoiem 2016, arXiv:1606.09282).

A fifth of the corrections is held out for the comparison; the hash of a text decides, so that it is always the same
fifth.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.decide import decide
from models.examples import Example, read_examples
from models.labels import Task
from models.runtime import Runtime
from training.data.corpora import DataError
from training.data.tasks import TASKS, TaskData, comparison_key, load_task
from training.data.user_tasks import load_user_task
from training.evaluate.suites import Suite, make_suites
from training.recipe import Recipe, TaskRecipe, recipe_from

SOURCE = "corrections"
HELD_OUT = 5
REPLAY, REPEAT, PASSES = 600, 3, 2.0
LR, HEAD_LR = 3e-4, 1.5e-3


@dataclass(frozen=True)
class Corrections:
    """Corrections by task, to learn from and held out, and one sentence for each correction that was left out."""

    learned: dict[str, list[Example]] = field(default_factory=dict)
    held_out: dict[str, list[Example]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CandidateData:
    """The data of a candidate by task: rows to train on, and rows to fit its decisions and measure it on.

    `has_corpora` is True when the data of the live artifact are available.
    """

    learn: dict[str, TaskData]
    measure: dict[str, TaskData]
    has_corpora: bool


def read_corrections(path: Path, *, tasks: Mapping[str, Task]) -> Corrections:
    """Read a JSONL file that `flask examples export` wrote. Raises DataError when it has nothing to learn from."""
    if not path.is_file():
        raise DataError(f"There is no file {path}. Write it with: flask --app wsgi examples export --output {path}")
    found = Corrections()
    for row in read_examples(path, on_error=found.left_out):
        named = _canonical_labels(row, tasks=tasks, left_out=found.left_out)
        if named is not None:
            part = found.held_out if is_held_out(row.text) else found.learned
            part.setdefault(row.task, []).append(named)
    if not found.learned:
        why = found.left_out[0] if found.left_out else "it holds no correction to learn from."
        raise DataError(f"{path}: {why}")
    return found


def _canonical_labels(row: Example, *, tasks: Mapping[str, Task], left_out: list[str]) -> Example | None:
    """Return the example with the task's label names; if it does not fit the live model, None and a sentence."""
    task = tasks.get(row.task)
    if task is None:
        left_out.append(f"The live model has no task {row.task!r}: {row.text[:40]!r}.")
        return None
    index = task.index()
    unknown = [label for label in row.labels if label not in index]
    if unknown or (task.kind == "single" and len(row.labels) != 1):
        left_out.append(f"The task {row.task} has no label {(unknown or ['(one)'])[0]!r}: {row.text[:40]!r}.")
        return None
    return dataclasses.replace(row, labels=tuple(task.names[index[label]] for label in row.labels), source=SOURCE)


def is_held_out(text: str) -> bool:
    """True for the fifth of all texts that is held out."""
    digest = hashlib.sha256(comparison_key(text).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT == 0


def prepare_data(
    live: Runtime, *, corrections: Corrections, root: Path, replay: int = REPLAY, seed: int = 0
) -> CandidateData:
    """Return the data of the candidate; at most `replay` rows of each corpus are rehearsed."""
    try:
        known = {
            name: _load_known_rows(live, task=task, root=root, replay=replay, seed=seed)
            for name, task in live.tasks.items()
        }
    except DataError:
        return _prepare_without_corpora(live, corrections=corrections)
    learn = {name: _add_corrections(data, corrections=corrections) for name, data in known.items()}
    return CandidateData(learn, learn, has_corpora=True)


def _load_known_rows(live: Runtime, *, task: Task, root: Path, replay: int, seed: int) -> TaskData:
    """Load the data that the live artifact was trained on, at most `replay` training rows of each corpus.

    Raises DataError when they are not available.
    """
    rows = {row["name"]: row for row in live.artifact.manifest.recipe.get("tasks", ())}
    recipe = _parse_task_recipe(rows.get(task.name, {"name": task.name}))
    if recipe.data:
        data = load_user_task(dataclasses.replace(recipe, cap=replay), seed=seed, skip_bad_rows=True)[0]
    elif task.name in TASKS:
        data = load_task(task.name, root=root, cap=replay, seed=seed)
    else:
        raise DataError(f"The recipe of {live.artifact.manifest.id} names no data for the task {task.name}.")
    return TaskData(task, data.splits, data.corpora)


def _add_corrections(data: TaskData, *, corrections: Corrections) -> TaskData:
    extra = corrections.learned.get(data.task.name, [])
    train = [*data.splits["train"], *extra * REPEAT]
    return TaskData(data.task, data.splits | {"train": train}, (*data.corpora, *((SOURCE,) if extra else ())))


def _prepare_without_corpora(live: Runtime, *, corrections: Corrections) -> CandidateData:
    texts = list(dict.fromkeys(row.text for rows in corrections.learned.values() for row in rows))
    learn, measure = {}, {}
    for name, task in live.tasks.items():
        own = corrections.learned.get(name, [])
        corrected = {row.text for row in own}
        anchors = _label_with_live_model(live, task=task, texts=[text for text in texts if text not in corrected])
        held = corrections.held_out.get(name, [])
        train = [*own * REPEAT, *anchors]
        learn[name] = TaskData(task, {"train": train, "validation": held or anchors[:50] or own}, (SOURCE,))
        measure[name] = TaskData(task, {"train": train, "validation": [], "test": held}, (SOURCE,))
    return CandidateData(learn, measure, has_corpora=False)


def _label_with_live_model(live: Runtime, *, task: Task, texts: Sequence[str]) -> list[Example]:
    """Return the texts as examples with the live model's answers as labels."""
    if not texts:
        return []
    found = decide(live.logits(texts, tasks=[task.name])[task.name], task=task, decision=live.decisions[task.name])
    return [
        Example(text, tuple(task.names[at] for at in one.accepted or (one.column,)), task=task.name, source=SOURCE)
        for text, one in zip(texts, found, strict=True)
    ]


def candidate_recipe(live: Runtime, *, passes: float = PASSES, seed: int = 0, max_steps: int = 0) -> Recipe:
    """Return the recipe of the candidate: that of the live artifact with lower learning rates and few passes."""
    row = dict(live.artifact.manifest.recipe)
    kept = ("encoder", "max_length", "batch_tokens", "batch_rows", "precision", "weight_decay", "clip", "lora")
    tasks = {task["name"]: task for task in row.get("tasks", ())}
    recipe = recipe_from({name: row[name] for name in kept if name in row})
    learned = tuple(
        dataclasses.replace(_parse_task_recipe(tasks.get(name, {"name": name})), passes=passes, cap=0)
        for name in live.tasks
    )
    return dataclasses.replace(
        recipe, name="learn", start=str(live.artifact.folder.resolve()), tasks=learned, seed=seed, lr=LR,
        head_lr=HEAD_LR, max_steps=max_steps, evaluate_every=10_000, checkpoint_every=100,
    )  # fmt: skip


def _parse_task_recipe(row: Mapping[str, object]) -> TaskRecipe:
    """Return a task's recipe from a manifest; settings that no longer exist are ignored."""
    known = {entry.name for entry in dataclasses.fields(TaskRecipe)}
    return recipe_from({"tasks": [{key: value for key, value in row.items() if key in known}]}).tasks[0]


def comparison_suites(
    lesson: CandidateData, *, corrections: Corrections, tasks: Mapping[str, Task], root: Path
) -> list[Suite]:
    """Return the suites of the comparison: the test rows of the corpora, if available, and the held-out corrections."""
    tests = make_suites(lesson.measure, root=root) if lesson.has_corpora else []
    held = {
        name: TaskData(tasks[name], {"test": rows}, (SOURCE,)) for name, rows in corrections.held_out.items() if rows
    }
    own = [dataclasses.replace(suite, corpus=f"{SOURCE} {suite.task.name}") for suite in make_suites(held, root=None)]
    return tests + own


def next_version_folder(live: Runtime, *, models: Path) -> Path:
    """Return the folder of the candidate: the live artifact's name with the next free minor version."""
    name, version = live.artifact.manifest.name, live.artifact.manifest.version
    major, _, minor = version.partition(".")
    number = int(minor.split(".")[0]) if minor.split(".")[0].isdigit() else 0
    while (folder := models / f"{name}-{major}.{number + 1}").exists():
        number += 1
    return folder
