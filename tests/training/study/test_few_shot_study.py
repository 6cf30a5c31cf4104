"""The few-shot study on a tiny encoder: as many examples a label as named, each seed its own, nothing trained twice."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from training.data import load_data
from training.data.tasks import TaskData
from training.fit import fit
from training.recipe import Recipe, load_recipe
from training.study.few_shot_study import study_shots

SHOTS = {1: 1.0, 2: 1.0}


@pytest.fixture
def given(encoder: Path, corpora: Path) -> tuple[Recipe, dict[str, TaskData]]:
    recipe = dataclasses.replace(load_recipe("shots"), encoder=str(encoder), max_steps=2)
    return recipe, load_data(recipe, root=corpora)[0]


def test_scores_come_by_task_and_number_of_examples(
    given: tuple[Recipe, dict[str, TaskData]], corpora: Path, tmp_path: Path
) -> None:
    recipe, data = given
    seen: list[dict[str, Counter[tuple[str, ...]]]] = []

    def noted(part: Recipe, *, data: dict[str, TaskData], **options: Any) -> Any:
        seen.append({name: Counter(row.labels for row in entry.splits["train"]) for name, entry in data.items()})
        return fit(part, data=data, **options)

    options: dict[str, Any] = {"data": data, "folder": tmp_path, "root": corpora, "seeds": [0, 1], "shots": SHOTS}
    found = study_shots(recipe, fit=noted, **options)
    assert [max(rows.values()) for row in seen for rows in row.values()] == [1, 1, 2, 2, 1, 1, 2, 2]
    assert set(found["scores"]) == set(data)
    assert all(len(scores) == 2 for rows in found["scores"].values() for scores in rows.values())
    assert all(0 <= score <= 1 for rows in found["median"].values() for score in rows.values())

    def never(*args: object, **options: object) -> None:
        raise AssertionError("a run that is finished is not trained again")

    assert study_shots(recipe, fit=never, **options) == found
