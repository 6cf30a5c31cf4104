"""The study of techniques on a tiny encoder: rows come one by one, a second run goes on, nothing is invented."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from training.config import load_recipe
from training.data import load
from training.fit import fit
from training.techniques import CORPORA, TECHNIQUES, Study, study_techniques


@pytest.fixture
def study(encoder: Path, corpora: Path, tmp_path: Path) -> Study:
    recipe = dataclasses.replace(load_recipe("techniques"), encoder=str(encoder), max_steps=2)
    data = load(recipe, root=corpora)[0]
    return Study(recipe, data, 50, tmp_path / "runs", fit, corpora)


def test_every_technique_is_a_valid_recipe_of_its_own(study: Study) -> None:
    recipes = [dataclasses.replace(study.recipe, **one.changes) for one in TECHNIQUES if not one.of]
    assert len({json.dumps(dataclasses.asdict(recipe)) for recipe in recipes}) == len(recipes)
    assert len({one.name for one in TECHNIQUES}) == len(TECHNIQUES)


def test_rows_come_one_by_one_and_are_not_measured_twice(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    wanted = ("lora", "spelling", "pruned", "vocabulary")
    found = study_techniques(study, seeds=[0], wanted=wanted, out=out)
    assert json.loads(out.read_text("utf-8")) == found
    rows = {row["technique"]: row for row in found["rows"]}
    assert tuple(rows) == wanted
    assert rows["lora"]["accuracy"].keys() == set(CORPORA)
    assert all(0 <= score <= 1 for row in rows.values() for score in row["accuracy"].values())
    assert rows["pruned"]["parameters_m"] < rows["lora"]["parameters_m"]
    assert rows["lora"]["cpu_s"] > 0

    def never(*args: object, **options: object) -> None:
        raise AssertionError("a row that is known is not trained again")

    again = study_techniques(dataclasses.replace(study, fit=never), seeds=[0], wanted=wanted, out=out)
    assert again == found


def test_an_ensemble_waits_for_its_teachers(study: Study, tmp_path: Path) -> None:
    found = study_techniques(study, seeds=[0], wanted=("ensemble_taught",), out=tmp_path / "result.json")
    assert found["rows"] == []
