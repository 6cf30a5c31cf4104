"""Training data: the corpora, a user's own files, splits, augmentation, and batches of token ids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training.data.splits import fold_validation
from training.data.tasks import TaskData, load_task
from training.data.user_tasks import load_user_task
from training.recipe import Recipe


def load_data(recipe: Recipe, *, root: Path) -> tuple[dict[str, TaskData], list[str]]:
    """Return every task of a recipe with its examples, and one sentence for each row that was left out.

    Raises DataError when a file is missing, or when a row is unusable and the recipe does not skip such rows.
    """
    data: dict[str, TaskData] = {}
    left_out: list[str] = []
    for task in recipe.tasks:
        if task.data:
            data[task.name], bad = load_user_task(task, seed=recipe.seed, skip_bad_rows=recipe.skip_bad_rows)
            left_out += bad
        else:
            data[task.name] = load_task(task.name, root=root, cap=task.cap, seed=recipe.seed)
        data[task.name] = replace(data[task.name], splits=fold_validation(data[task.name].splits, share=task.folded))
    return data, left_out
