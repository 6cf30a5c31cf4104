"""Adapter study: does one adapter for all tasks serve them as well as one for the desk and one for the market?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from training.config import Recipe
from training.data.tasks import TaskData
from training.runs import Run

DESK = ("banking_intent", "commerce_intent", "sentiment", "emotion")
MARKET = ("market_sentiment", "market_topic")
# The score each task is judged by, as in its corpus' published figures.
JUDGED_BY = {"sentiment": "macro_recall", "emotion": "macro_f1", "market_sentiment": "weighted_f1"}
GAIN_NEEDED = 0.01
TASKS_NEEDED = 2

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
    last = [row for row in run.metrics() if "validation" in row][-1]["validation"]
    return {task: round(found[JUDGED_BY.get(task, "accuracy")], 4) for task, found in last.items()}


def verdict(gains: dict[str, float]) -> str:
    """`two_adapters` where enough tasks gain enough, else `one_adapter`."""
    enough = sum(gain >= GAIN_NEEDED for gain in gains.values()) >= TASKS_NEEDED
    return "two_adapters" if enough else "one_adapter"
