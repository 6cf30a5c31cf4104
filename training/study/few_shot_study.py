"""The few-shot study: how good is a task with 5, 10 or 50 examples per label? Heads start from a linear probe."""

from __future__ import annotations

import dataclasses
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from models.examples import Example
from training.data.tasks import TaskData
from training.recipe import Recipe
from training.run.run_folder import Run
from training.study.adapter_study import SCORES, Fit, final_scores

# Passes over the examples by the number of examples per label: the fewer examples, the more passes.
SHOTS: Mapping[int, float] = {5: 6.0, 10: 5.0, 50: 3.0}


class FewShotResult(TypedDict):
    """The result file; `scores` and `median` by task and number of examples, one score for each seed."""

    score: dict[str, str]
    passes: dict[str, float]
    seeds: list[int]
    scores: dict[str, dict[str, list[float]]]
    median: dict[str, dict[str, float]]


def study_shots(
    recipe: Recipe, *, data: dict[str, TaskData], folder: Path, fit: Fit, root: Path, seeds: Sequence[int],
    shots: Mapping[int, float] = SHOTS,
) -> FewShotResult:  # fmt: skip
    """Train every task with few examples per label, for every seed; finished runs are not trained again.

    A seed determines the examples and the initial weights. Scores are measured on the validation rows.
    """
    scores: dict[str, dict[str, list[float]]] = {name: {str(n): [] for n in shots} for name in data}
    for seed in seeds:
        for n, passes in shots.items():
            tasks = tuple(dataclasses.replace(task, passes=passes) for task in recipe.tasks)
            part = dataclasses.replace(recipe, tasks=tasks, seed=seed)
            run = Run(folder / f"{n}-{seed}")
            if not run.metrics() or not run.is_finished:
                few = {name: _sample_per_label(entry, n=n, seed=seed) for name, entry in data.items()}
                fit(part, data=few, run=run, root=root, resume=run.path.exists())
            for name, score in final_scores(run).items():
                scores[name][str(n)].append(score)
    return FewShotResult(
        score={name: SCORES.get(name, "accuracy") for name in data},
        passes={str(n): passes for n, passes in shots.items()},
        seeds=list(seeds),
        scores=scores,
        median={name: {n: statistics.median(row) for n, row in rows.items()} for name, rows in scores.items()},
    )


def _sample_per_label(entry: TaskData, *, n: int, seed: int) -> TaskData:
    """Return the task with `n` random training rows of each label, or all rows of a label that has fewer."""
    by_label: dict[tuple[str, ...], list[Example]] = {}
    for row in entry.splits["train"]:
        by_label.setdefault(row.labels, []).append(row)
    chance = random.Random(seed)
    train = [row for rows in by_label.values() for row in chance.sample(rows, min(n, len(rows)))]
    return dataclasses.replace(entry, splits={**entry.splits, "train": train})
