"""The study of techniques on a tiny encoder: rows come one by one, a second run goes on, nothing is invented."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from training.data import load_data
from training.fit import fit
from training.recipe import load_recipe
from training.run.run_folder import Run
from training.study.technique_rows import (
    RowContext,
    add_informative_rows,
    add_random_rows,
    drop_suspect_rows,
    halve_rows,
    split_training_rows,
)
from training.study.technique_scores import CORPORA
from training.study.technique_study import TECHNIQUES, Study, study_techniques


@pytest.fixture
def study(encoder: Path, corpora: Path, tmp_path: Path) -> Study:
    recipe = dataclasses.replace(load_recipe("techniques"), encoder=str(encoder), max_steps=2)
    data = load_data(recipe, root=corpora)[0]
    return Study(recipe, data, 50, tmp_path / "runs", fit, corpora)


def test_every_technique_is_a_row_of_its_own(study: Study) -> None:
    rows = [
        (json.dumps(dataclasses.asdict(one.recipe(study.recipe, seed=0))), one.rows, one.trials, one.processes)
        for one in TECHNIQUES
        if not one.run_of
    ]
    assert len(set(rows)) == len(rows)
    assert len({one.name for one in TECHNIQUES}) == len(TECHNIQUES)


def test_rows_come_one_by_one_and_are_not_measured_twice(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    wanted = ("lora", "spelling", "pruned", "vocabulary", "masked")
    found = study_techniques(study, seeds=[0], wanted=wanted, out=out)
    assert json.loads(out.read_text("utf-8")) == found
    rows = {row["technique"]: row for row in found["rows"]}
    assert list(rows) == [one.name for one in TECHNIQUES if one.name in wanted]
    assert rows["lora"]["accuracy"].keys() == set(CORPORA)
    assert all(0 <= score <= 1 for row in rows.values() for score in row["accuracy"].values())
    assert rows["pruned"]["parameters_m"] < rows["lora"]["parameters_m"]
    assert rows["lora"]["cpu_s"] > 0
    assert all(task.masked == 0.1 for task in Run(study.folder / "masked-0").recipe().tasks)

    def never(*args: object, **options: object) -> None:
        raise AssertionError("a row that is known is not trained again")

    again = study_techniques(dataclasses.replace(study, fit=never), seeds=[0], wanted=wanted, out=out)
    assert again == found


def test_what_needs_other_runs_waits_for_them(study: Study, tmp_path: Path) -> None:
    waiting = ("ensemble_taught", "averaged", "ensemble", "asked", "pseudo_labelled")
    found = study_techniques(study, seeds=[0], wanted=waiting, out=tmp_path / "result.json")
    assert found["rows"] == []


def test_networks_are_averaged_by_weights_and_by_logits(study: Study, tmp_path: Path) -> None:
    wanted = ("lora", "longer", "averaged", "ensemble")
    found = study_techniques(study, seeds=[0, 1], wanted=wanted, out=tmp_path / "result.json")
    known = {(row["technique"], row["seed"]) for row in found["rows"]}
    assert known == {(name, seed) for name in wanted for seed in (0, 1)} - {("ensemble", 1)}
    rows = {row["technique"]: row for row in found["rows"] if row["seed"] == 0}
    assert rows["ensemble"]["parameters_m"] == pytest.approx(2 * rows["lora"]["parameters_m"], abs=0.02)
    assert rows["averaged"]["parameters_m"] == rows["lora"]["parameters_m"]
    assert rows["averaged"]["cpu_s"] == rows["longer"]["cpu_s"]


def test_rows_are_asked_for_by_the_network_of_their_half(study: Study, tmp_path: Path) -> None:
    half = halve_rows(study.data, place=RowContext(study.folder, study.root, 0))
    study_techniques(study, seeds=[0], wanted=("half",), out=tmp_path / "result.json")
    place = RowContext(study.folder, study.root, 0)
    chosen, by_chance = add_informative_rows(half, place=place), add_random_rows(half, place=place)
    for name, entry in half.items():
        quarter = halve_rows(half, place=place)[name].splits["train"]
        rows, others = chosen[name].splits["train"], by_chance[name].splits["train"]
        assert len(rows) == len(others) <= len(entry.splits["train"])
        assert others[: len(quarter)] == quarter
        assert rows[: len(quarter)] == quarter
        assert {row.text for row in quarter}.isdisjoint(row.text for row in rows[len(quarter) :])
        assert all(row.labels for row in rows)


def test_suspect_labels_are_left_out(study: Study) -> None:
    texts = ("the refund has not come", "where is my refund", "card was stolen", "somebody stole my card")
    entry = study.data["banking_intent"]
    first, second = entry.task.names[:2]
    row = entry.splits["train"][0]
    right = [
        dataclasses.replace(row, text=f"{text} {number}", labels=(first if at < 2 else second,), span=None)
        for number in range(6)
        for at, text in enumerate(texts)
    ]
    wrong = dataclasses.replace(right[0], text="my refund has still not come", labels=(second,))
    given = {"banking_intent": dataclasses.replace(entry, splits={"train": [*right, wrong]})}
    kept = drop_suspect_rows(given, place=RowContext(study.folder, study.root, 0))["banking_intent"].splits["train"]
    assert wrong not in kept
    assert len(kept) >= len(right) - 2


def test_a_search_scores_on_rows_of_its_own(study: Study, tmp_path: Path) -> None:
    parts = split_training_rows(study.data, share=0.2, seed=0)
    for name, entry in study.data.items():
        train, held = parts[name].splits["train"], parts[name].splits["validation"]
        assert len(train) + len(held) == len(entry.splits["train"])
        assert all(any(row is own for own in entry.splits["train"]) for row in held)
    quick = dataclasses.replace(study, recipe=dataclasses.replace(study.recipe, max_steps=1))
    found = study_techniques(quick, seeds=[0], wanted=("searched",), out=tmp_path / "result.json")
    trials = json.loads((tmp_path / "result.json").read_text("utf-8"))["rows"]
    assert trials == found["rows"]
    tried = [path for path in (study.folder / "searched-0-trials").iterdir() if path.is_dir()]
    assert len(tried) == 8
    best = Run(study.folder / "searched-0").recipe()
    assert best.lr in {Run(path).recipe().lr for path in tried}


def test_two_processes_share_the_steps(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    found = study_techniques(study, seeds=[0], wanted=("two_processes",), out=tmp_path / "result.json")
    assert [row["technique"] for row in found["rows"]] == ["two_processes"]
    assert found["rows"][0]["cpu_s"] > 0
    assert Run(study.folder / "two_processes-0").state()["steps"] == study.recipe.max_steps // 2
