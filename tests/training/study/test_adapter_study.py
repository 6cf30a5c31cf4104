"""Two adapters are chosen only where enough tasks gain enough; finished runs are not trained again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from training.data import load_data
from training.fit import fit
from training.recipe import load_recipe
from training.study.adapter_study import study_adapters, verdict


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ({"emotion": 0.01, "sentiment": 0.02, "market_topic": -0.3}, "two_adapters"),
        ({"emotion": 0.3, "sentiment": 0.009}, "one_adapter"),
        ({}, "one_adapter"),
    ],
)
def test_two_adapters_need_a_point_on_two_tasks(gains: dict[str, float], expected: str) -> None:
    assert verdict(gains) == expected


def test_every_task_is_scored_jointly_and_apart(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(load_recipe("adapters"), encoder=str(encoder), max_steps=2)
    options: dict[str, Any] = {"data": load_data(recipe, root=corpora)[0], "folder": tmp_path, "root": corpora}
    result = study_adapters(recipe, fit=fit, **options)
    assert set(result["joint"]) == set(result["two_adapters"]) == {task.name for task in recipe.tasks}
    assert result["gain_of_two"]["emotion"] == pytest.approx(
        result["two_adapters"]["emotion"] - result["joint"]["emotion"], abs=1e-4
    )
    assert study_adapters(recipe, fit=lambda *args, **options: pytest.fail("trained again"), **options) == result
