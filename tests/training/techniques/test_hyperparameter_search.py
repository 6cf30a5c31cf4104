"""Searching: every sampler on one space, going on, several processes on one study, and real trials."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import ROOT
from training.cli import main
from training.recipe import Recipe, RecipeError, TaskRecipe
from training.techniques.hyperparameter_search import (
    SAMPLERS,
    Range,
    Report,
    Space,
    apply_settings,
    importance,
    list_trials,
    load_space,
    open_study,
    search,
)

SPACE = Space({"lr": Range(low=1e-4, high=1e-2, log=True, steps=3), "lora.rank": Range(choices=(4, 8))})
RECIPE = Recipe(tasks=(TaskRecipe(name="a"), TaskRecipe(name="b")))


def _likes_small_rates(recipe: Recipe, number: int, watch: Report) -> float:
    """A trial that can be seen through: the rate is all that counts."""
    for step in range(3):
        watch(step, 1 - 50 * recipe.lr)
    return 1 - 50 * recipe.lr


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_searches_the_same_space_and_continues(sampler: str, tmp_path: Path) -> None:
    for trials in (3, 6):
        study = open_study(tmp_path / "study.db", name="x", space=SPACE, sampler=sampler, pruner="none")
        search(study, recipe=RECIPE, space=SPACE, fit=_likes_small_rates, trials=trials)
        rows = list_trials(study)
        assert len(rows) == trials
    assert rows[0]["value"] == pytest.approx(1 - 50 * rows[0]["settings"]["lr"], abs=1e-4)
    assert rows == sorted(rows, key=lambda row: -(row["value"] or 0))
    if sampler == "grid":
        assert {(row["settings"]["lr"], row["settings"]["lora.rank"]) for row in rows} == {
            (lr, rank) for lr in (1e-4, 1e-3, 1e-2) for rank in (4, 8)
        }
    assert importance(study)["lr"] > 0.8


def test_a_hopeless_trial_is_stopped(tmp_path: Path) -> None:
    study = open_study(tmp_path / "study.db", name="x", space=SPACE, sampler="random", pruner="median")
    steps: dict[int, int] = {}

    def counted(recipe: Recipe, number: int, watch: Report) -> float:
        for step in range(10):
            steps[number] = step
            watch(step, 1 - 50 * recipe.lr)
        return 1 - 50 * recipe.lr

    search(study, recipe=RECIPE, space=SPACE, fit=counted, trials=16)
    stopped = [row["trial"] for row in list_trials(study) if row["state"] == "pruned"]
    assert stopped
    assert all(steps[number] < 9 for number in stopped)


def test_two_processes_share_one_study(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from training.techniques.hyperparameter_search import open_study, search\n"
        "from tests.training.techniques.test_hyperparameter_search import RECIPE, SPACE, _likes_small_rates\n"
        "path, seed = Path(sys.argv[1]), int(sys.argv[2])\n"
        "study = open_study(path, name='x', space=SPACE, sampler='random', pruner='none', seed=seed)\n"
        "search(study, recipe=RECIPE, space=SPACE, fit=_likes_small_rates, trials=12)\n"
    )
    open_study(tmp_path / "study.db", name="x", space=SPACE, sampler="random", pruner="none")
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "study.db"), str(seed)], cwd=ROOT)
        for seed in (1, 2)
    ]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    study = open_study(tmp_path / "study.db", name="x", space=SPACE, sampler="random", pruner="none")
    numbers = [row["trial"] for row in list_trials(study)]
    assert 12 <= len(numbers) <= 13
    assert len(set(numbers)) == len(numbers)


def test_dotted_names_reach_into_the_recipe() -> None:
    found = apply_settings(RECIPE, values={"lr": 0.5, "lora.rank": 2, "tasks.*.dropout": 0.3, "tasks.b.passes": 4.0})
    assert (found.lr, found.lora.rank) == (0.5, 2)
    assert [(task.dropout, task.passes) for task in found.tasks] == [(0.3, 1.0), (0.3, 4.0)]
    with pytest.raises(RecipeError, match=r"names a table that the recipe does not have"):
        apply_settings(RECIPE, values={"tasks.c.passes": 1.0})


def test_mistakes_in_a_space_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="There is no search space 'nothing'"):
        load_space("nothing")
    path = tmp_path / "mine.toml"
    path.write_text("[space]\nlr = { low = 0.0, high = 1.0, log = true }\n")
    with pytest.raises(RecipeError, match="above zero where it is log"):
        load_space(str(path))
    path.write_text("[space]\nlr = { lowest = 0.0 }\n")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_space(str(path))
    with pytest.raises(RecipeError, match="Samplers: grid, random"):
        open_study(tmp_path / "study.db", name="x", space=SPACE, sampler="luck", pruner="none")


def test_the_command_trains_trials_and_continues(
    encoder: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_THREADS", "1")
    command = ["search", "--sampler", "random", "--pruner", "none", "--encoder", str(encoder), "--data", str(corpora),
               "--runs", str(tmp_path), "--name", "small"]  # fmt: skip
    for trials in (1, 2):
        assert main([*command, "--trials", str(trials)]) == 0
    found = json.loads((tmp_path / "search-small" / "search.json").read_text("utf-8"))
    assert len(found["trials"]) == 2
    assert set(found["trials"][0]["settings"]) == set(load_space("default").ranges)
    assert "trial   0" in capsys.readouterr().out
    assert "<script" not in (tmp_path / "search-small" / "search.html").read_text("utf-8")
