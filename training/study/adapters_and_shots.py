"""Two studies: whether one adapter for all tasks serves as well as two, and how much few examples a label are worth."""

from __future__ import annotations

import dataclasses
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.examples import Example
from training.data.tasks import TaskData
from training.recipe import Recipe
from training.run.run_folder import Run

DESK = ("banking_intent", "commerce_intent", "sentiment", "emotion")
MARKET = ("market_sentiment", "market_topic")
# The score each task is judged by, as in its corpus' published figures.
JUDGED_BY = {"sentiment": "macro_recall", "emotion": "macro_f1", "market_sentiment": "weighted_f1"}
GAIN_NEEDED = 0.01
TASKS_NEEDED = 2

# Examples a label, and passes over them: the fewer, the more often each is read. Heads begin with a linear probe.
SHOTS: Mapping[int, float] = {5: 6.0, 10: 5.0, 50: 3.0}

Fit = Callable[..., Any]


def study_adapters(recipe: Recipe, *, data: dict[str, TaskData], folder: Path, fit: Fit, root: Path) -> dict[str, Any]:
    """Train jointly, then desk and market apart, on the same rows; returns validation scores and the verdict.

    Two adapters are worth their size only where they gain at least one point on at least two tasks.
    """
    variants = {"joint": tuple(data), "desk": _of(data, DESK), "market": _of(data, MARKET)}
    found: dict[str, dict[str, float]] = {}
    for name, tasks in variants.items():
        part = dataclasses.replace(recipe, tasks=tuple(task for task in recipe.tasks if task.name in tasks))
        run = Run(folder / name)
        if not run.metrics() or not run.is_finished:
            fit(part, data={task: data[task] for task in tasks}, run=run, root=root, resume=run.path.exists())
        found[name] = judged(run)
    apart = found["desk"] | found["market"]
    gains = {task: round(apart[task] - score, 4) for task, score in found["joint"].items()}
    return {
        "rows": {name: len(rows.splits["train"]) for name, rows in data.items()},
        "passes": {task.name: task.passes for task in recipe.tasks},
        "score": {name: JUDGED_BY.get(name, "accuracy") for name in data},
        "joint": found["joint"],
        "two_adapters": apart,
        "gain_of_two": gains,
        "verdict": verdict(gains),
    }


def _of(data: Iterable[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in data if name in wanted)


def judged(run: Run) -> dict[str, float]:
    """Each task's score on validation at the end of a run."""
    return {task: round(found[JUDGED_BY.get(task, "accuracy")], 4) for task, found in run.scores().items()}


def verdict(gains: dict[str, float]) -> str:
    """`two_adapters` where enough tasks gain enough, else `one_adapter`."""
    enough = sum(gain >= GAIN_NEEDED for gain in gains.values()) >= TASKS_NEEDED
    return "two_adapters" if enough else "one_adapter"


def study_shots(
    recipe: Recipe, *, data: dict[str, TaskData], folder: Path, fit: Fit, root: Path, seeds: Sequence[int],
    shots: Mapping[int, float] = SHOTS,
) -> dict[str, Any]:  # fmt: skip
    """Train every task with a few examples a label, seed by seed; scores on validation rows, and their medians.

    A seed draws the examples and begins the weights.
    """
    scores: dict[str, dict[str, list[float]]] = {name: {str(n): [] for n in shots} for name in data}
    for seed in seeds:
        for n, passes in shots.items():
            tasks = tuple(dataclasses.replace(task, passes=passes) for task in recipe.tasks)
            part = dataclasses.replace(recipe, tasks=tasks, seed=seed)
            run = Run(folder / f"{n}-{seed}")
            if not run.metrics() or not run.is_finished:
                few = {name: _few(entry, n=n, seed=seed) for name, entry in data.items()}
                fit(part, data=few, run=run, root=root, resume=run.path.exists())
            for name, score in judged(run).items():
                scores[name][str(n)].append(score)
    medians = {name: {n: statistics.median(row) for n, row in rows.items()} for name, rows in scores.items()}
    judged_by = {name: JUDGED_BY.get(name, "accuracy") for name in data}
    return {"score": judged_by, "passes": {str(n): passes for n, passes in shots.items()}, "seeds": list(seeds),
            "scores": scores, "median": medians}  # fmt: skip


def _few(entry: TaskData, *, n: int, seed: int) -> TaskData:
    """`n` training rows of each label, or as many as there are."""
    by_label: dict[tuple[str, ...], list[Example]] = {}
    for row in entry.splits["train"]:
        by_label.setdefault(row.labels, []).append(row)
    chance = random.Random(seed)
    train = [row for rows in by_label.values() for row in chance.sample(rows, min(n, len(rows)))]
    return dataclasses.replace(entry, splits={**entry.splits, "train": train})
