"""A fit from recipe to run's folder: it learns, it resumes exactly, it comes back as it was."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.labels import OUT_OF_SCOPE
from tests.shipped import newest
from training.data import load_data
from training.data.tasks import TaskData
from training.evaluate.metrics import validation_scores
from training.fit import fit
from training.loop import Progress, TrainingLoop, learning_rate_factor
from training.network.load_network import load_encoder, restore_run
from training.network.losses import label_weights, task_loss
from training.network.warm_start import ADAPTER_FILE, open_warm_start
from training.recipe import Recipe, TaskRecipe, load_recipe, recipe_from
from training.run.run_folder import Run, RunError, open_run
from training.techniques.weight_averaging import average_runs


def _recipe(encoder: Path, *, steps: int = 0, dropout: float = 0.1) -> Recipe:
    smoke = load_recipe("smoke")
    tasks = tuple(dataclasses.replace(task, passes=3, dropout=dropout) for task in smoke.tasks)
    return dataclasses.replace(
        smoke,
        encoder=str(encoder),
        tasks=tasks,
        max_steps=steps,
        batch_tokens=64,
        checkpoint_every=5,
        evaluate_every=10,
    )


def _data(recipe: Recipe, *, corpora: Path) -> dict[str, TaskData]:
    return load_data(recipe, root=corpora)[0]


def test_run_comes_back_as_it_was(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    recipe = _recipe(encoder, steps=12)
    run = Run(tmp_path / "run")
    progress = fit(recipe, data=_data(recipe, corpora=corpora), run=run, root=corpora)
    assert progress.step == 12
    found = open_run(run.path)
    assert found.is_finished
    assert found.recipe() == recipe
    assert {corpus["name"] for corpus in found.data()} >= {"banking77", "clinc150", "finentity"}
    network, tokenizer, tasks = restore_run(found)
    assert tasks["banking_intent"].names[-1] == OUT_OF_SCOPE
    ids = torch.tensor([tokenizer.encode("i lost my card").ids])
    with torch.no_grad():
        logits = network(ids, task="market_sentiment")
    assert logits.shape == (1, 3)
    assert logits.dtype == torch.float32
    assert [row["step"] for row in found.metrics()] == [10, 12]
    assert list(run.tensorboard.iterdir())


def test_interrupted_run_ends_as_if_it_had_not_stopped(
    encoder: Path, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe(encoder, steps=12)
    data = _data(recipe, corpora=corpora)
    fit(recipe, data=data, run=Run(tmp_path / "whole"), root=corpora)
    note = TrainingLoop._record_step

    def note_until_seven(loop: TrainingLoop, task: str, *, loss: float, tokens: int, seconds: float) -> None:
        if loop.progress.step == 7:
            raise KeyboardInterrupt
        note(loop, task, loss=loss, tokens=tokens, seconds=seconds)

    monkeypatch.setattr(TrainingLoop, "_record_step", note_until_seven)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, data=data, run=Run(tmp_path / "cut"), root=corpora)
    monkeypatch.undo()
    assert not Run(tmp_path / "cut").is_finished
    fit(recipe, data=data, run=Run(tmp_path / "cut"), root=corpora, resume=True)
    whole, cut = (restore_run(Run(tmp_path / name))[0].state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_it_learns_its_rows(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    task = TaskRecipe(name="market_topic", passes=40)
    recipe = dataclasses.replace(_recipe(encoder), tasks=(task,), lr=0.01, head_lr=0.03, evaluate_every=1000)
    progress = fit(recipe, data=_data(recipe, corpora=corpora), run=Run(tmp_path / "run"), root=corpora)
    assert progress.losses["market_topic"] < 0.45


def test_a_folder_with_a_run_is_not_overwritten(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("{}")
    recipe = _recipe(encoder, steps=2)
    with pytest.raises(RunError, match="already holds a run"):
        fit(recipe, data=_data(recipe, corpora=corpora), run=Run(tmp_path), root=corpora)
    with pytest.raises(RunError, match=r"is no run: recipe\.json is missing"):
        open_run(tmp_path)


def test_rate_rises_and_falls() -> None:
    rates = [learning_rate_factor(step, total=100, warmup=0.1) for step in range(101)]
    assert rates[0] == 0.1
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert rates[100] == 0.0
    assert rates[55] == pytest.approx(0.5)


def test_progress_survives_a_checkpoint() -> None:
    assert Progress(**dataclasses.asdict(Progress(step=3, losses={"a": 1.0}))) == Progress(step=3, losses={"a": 1.0})


def test_losses_by_kind() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    single = task_loss(logits, torch.tensor([0, 1]), kind="single")
    expected = -(torch.log_softmax(logits, -1)[0, 0] + torch.log_softmax(logits, -1)[1, 1]) / 2
    torch.testing.assert_close(single, expected)
    multi = task_loss(logits, torch.tensor([[1.0, 0.0], [1.0, 1.0]]), kind="multi")
    log = torch.nn.functional.logsigmoid
    torch.testing.assert_close(multi, -(log(logits[0, 0]) + log(-logits[0, 1]) + 2 * log(torch.tensor(0.0))) / 4)


def test_label_weights_balance_rows() -> None:
    targets = np.array([0, 0, 0, 1], dtype=np.int64)
    assert label_weights(targets, labels=2, power=0) is None
    weights = label_weights(targets, labels=2, power=1)
    assert weights is not None
    assert weights[1] / weights[0] == pytest.approx(3)
    assert float(weights[targets].mean()) == pytest.approx(1)


def test_scores_by_hand() -> None:
    logits = np.array([[3, 0, 0], [0, 3, 0], [0, 3, 0], [3, 0, 0]], dtype=np.float32)
    found = validation_scores(logits, targets=np.array([0, 1, 0, 0]))
    assert found["accuracy"] == 0.75
    assert found["macro_recall"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert found["weighted_f1"] == pytest.approx((3 * 4 / 5 + 2 / 3) / 4)
    multi = validation_scores(
        np.array([[1, -1], [-2, -1]], dtype=np.float32), targets=np.array([[1, 0], [0, 1]], dtype=np.float32)
    )
    assert multi["accuracy"] == 1.0


def test_recipe_of_a_run_that_named_a_setting_that_is_gone() -> None:
    with pytest.raises(ValueError, match=r"setting lora\.ranks does not exist"):
        recipe_from({"lora": {"ranks": 3}})


@pytest.mark.parametrize("method", ["full", "head"])
def test_methods_without_an_adapter_keep_the_whole_encoder(
    encoder: Path, corpora: Path, tmp_path: Path, method: str
) -> None:
    recipe = dataclasses.replace(_recipe(encoder, steps=6), method=method, lr=0.03)
    run = Run(tmp_path / method)
    fit(recipe, data=_data(recipe, corpora=corpora), run=run, root=corpora)
    assert run.encoder_file.is_file()
    assert not run.adapter.exists()
    before, after = load_encoder(str(encoder)).state_dict(), restore_run(run)[0].encoder.state_dict()
    moved = [name for name, value in before.items() if not torch.allclose(after[name], value, atol=1e-2, rtol=1e-2)]
    assert ("encoder.layer.1.output.dense.weight" in moved) is (method == "full")
    assert moved == [] or method == "full"


def test_a_run_continues_from_a_finished_one(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    recipe = _recipe(encoder, steps=6)
    fit(recipe, data=_data(recipe, corpora=corpora), run=Run(tmp_path / "first"), root=corpora)
    more = dataclasses.replace(recipe, start="first", max_steps=1, lr=1e-12, head_lr=1e-12, weight_decay=0.0)
    fit(more, data=_data(more, corpora=corpora), run=Run(tmp_path / "second"), root=corpora)
    first, second = (restore_run(Run(tmp_path / name))[0].state_dict() for name in ("first", "second"))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, atol=1e-6, rtol=0)
    again = dataclasses.replace(more, start=str(tmp_path / "nowhere"))
    with pytest.raises(RunError, match="is no run"):
        fit(again, data=_data(again, corpora=corpora), run=Run(tmp_path / "third"), root=corpora)


def test_a_run_continues_from_a_shipped_artifact(corpora: Path, tmp_path: Path) -> None:
    recipe = load_recipe("renew")
    first = dataclasses.replace(recipe, tasks=recipe.tasks[:1], start=str(newest()), max_steps=1, lr=1e-12)
    run = Run(tmp_path / "more")
    fit(first, data=_data(first, corpora=corpora), run=run, root=corpora)
    kept = load_file(open_warm_start(str(newest()), beside=tmp_path).adapter / ADAPTER_FILE)
    for name, value in load_file(run.adapter / ADAPTER_FILE).items():
        torch.testing.assert_close(value, kept[name], atol=1e-6, rtol=0)
    assert json.loads((run.path / "start.json").read_text())["recipe"]["artifact"].startswith("bellwether@")
    other = dataclasses.replace(first, lora=dataclasses.replace(first.lora, rank=4))
    with pytest.raises(RunError, match="does not fit the recipe's"):
        fit(other, data=_data(other, corpora=corpora), run=Run(tmp_path / "other"), root=corpora)


def test_average_lies_between_its_runs(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    first, second, other = (Run(tmp_path / name) for name in ("first", "second", "other"))
    recipe = _recipe(encoder, steps=3)
    data = _data(recipe, corpora=corpora)
    fit(recipe, data=data, run=first, root=corpora)
    fit(dataclasses.replace(recipe, start="first"), data=data, run=second, root=corpora)
    start = open_warm_start("first", beside=tmp_path)
    average_runs(start, second=second, into=Run(tmp_path / "between"), share=0.25)
    average_runs(start, second=second, into=Run(tmp_path / "same"), share=0.0)
    weights = {run: restore_run(Run(tmp_path / run))[0].state_dict() for run in ("first", "second", "between", "same")}
    for name, value in weights["first"].items():
        torch.testing.assert_close(weights["between"][name], 0.75 * value + 0.25 * weights["second"][name])
        assert torch.equal(weights["same"][name], value)
    fit(recipe, data=data, run=other, root=corpora)
    with pytest.raises(RunError, match="other did not start from first"):
        average_runs(start, second=other, into=Run(tmp_path / "no"), share=0.5)
    with pytest.raises(RunError, match="must lie between 0 and 1"):
        average_runs(start, second=second, into=Run(tmp_path / "no"), share=1.5)
