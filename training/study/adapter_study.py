"""The adapter study: one adapter for all tasks, or one for the desk's tasks and one for the market's?

Two adapters are worth their size only if they gain at least one point on at least two tasks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from training.data.tasks import TaskData
from training.recipe import Recipe
from training.run.run_folder import Run

DESK = ("banking_intent", "commerce_intent", "sentiment", "emotion")
MARKET = ("market_sentiment", "market_topic")
# The score by which a task's corpus is usually compared; accuracy for the other tasks.
SCORES = {"sentiment": "macro_recall", "emotion": "macro_f1", "market_sentiment": "weighted_f1"}
GAIN_NEEDED = 0.01
TASKS_NEEDED = 2

Fit = Callable[..., Any]


class AdapterResult(TypedDict):
    """The result file: training rows, passes and scores by task, and the verdict."""

    rows: dict[str, int]
    passes: dict[str, float]
    score: dict[str, str]
    joint: dict[str, float]
    two_adapters: dict[str, float]
    gain_of_two: dict[str, float]
    verdict: str


def study_adapters(recipe: Recipe, *, data: dict[str, TaskData], folder: Path, fit: Fit, root: Path) -> AdapterResult:
    """Train all tasks jointly, then desk and market apart, on the same rows; finished runs are not trained again."""
    variants = {
        "joint": tuple(data),
        "desk": tuple(task for task in data if task in DESK),
        "market": tuple(task for task in data if task in MARKET),
    }
    scores: dict[str, dict[str, float]] = {}
    for name, tasks in variants.items():
        part = dataclasses.replace(recipe, tasks=tuple(task for task in recipe.tasks if task.name in tasks))
        run = Run(folder / name)
        if not run.metrics() or not run.is_finished:
            fit(part, data={task: data[task] for task in tasks}, run=run, root=root, resume=run.path.exists())
        scores[name] = final_scores(run)
    apart = scores["desk"] | scores["market"]
    gains = {task: round(apart[task] - score, 4) for task, score in scores["joint"].items()}
    return AdapterResult(
        rows={name: len(entry.splits["train"]) for name, entry in data.items()},
        passes={task.name: task.passes for task in recipe.tasks},
        score={name: SCORES.get(name, "accuracy") for name in data},
        joint=scores["joint"],
        two_adapters=apart,
        gain_of_two=gains,
        verdict=verdict(gains),
    )


def final_scores(run: Run) -> dict[str, float]:
    """Return each task's validation score at the end of a run."""
    return {task: round(values[SCORES.get(task, "accuracy")], 4) for task, values in run.scores().items()}


def verdict(gains: dict[str, float]) -> str:
    """Return `two_adapters` if enough tasks gain enough, else `one_adapter`."""
    enough = sum(gain >= GAIN_NEEDED for gain in gains.values()) >= TASKS_NEEDED
    return "two_adapters" if enough else "one_adapter"
