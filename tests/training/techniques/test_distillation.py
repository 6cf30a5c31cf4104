"""Distillation's algebra: a student that is its teacher loses nothing; a student is a slice; teachers are averaged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from models.network import Network
from tests.tiny import tiny_encoder
from training.data import load_data
from training.data.batching import collate
from training.data.encoding import encode, open_tokenizer
from training.fit import fit
from training.loop import Objective, StepInput
from training.network.encoder_surgery import layers_of
from training.network.load_network import load_encoder, restore_run
from training.network.losses import divergence
from training.recipe import DistillRecipe, Recipe, RecipeError, TaskRecipe, load_recipe
from training.run.run_folder import Run
from training.techniques.distillation import Teacher, compute_outputs, make_student, matched_layers, teacher_outputs
from training.techniques.teachers import CACHE, open_distillation

TASKS = ("banking_intent", "emotion", "market_sentiment")


def _recipe(encoder: Path, *, steps: int = 8, **distill: object) -> Recipe:
    smoke = load_recipe("smoke")
    tasks = tuple(dataclasses.replace(task, passes=3) for task in smoke.tasks if task.name in TASKS)
    return dataclasses.replace(
        smoke, encoder=str(encoder), tasks=tasks, max_steps=steps, batch_tokens=128, lr=5e-3, head_lr=2e-2,
        distill=DistillRecipe(**distill), method="full" if distill else "lora",  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs(encoder: Path, corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, `teacher`, of two layers."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = _recipe(encoder)
    fit(recipe, data=load_data(recipe, root=corpora)[0], run=Run(folder / "teacher"), root=corpora)
    return folder


@pytest.mark.parametrize("match", ["last", "all"])
def test_a_student_that_is_its_teacher_loses_nothing(runs: Path, encoder: Path, corpora: Path, match: str) -> None:
    recipe = _recipe(encoder, teachers=("teacher",), soft=1.0, match=match)
    data = load_data(recipe, root=corpora)[0]
    distillation = open_distillation(recipe, run=Run(runs / "student"))
    assert distillation is not None
    student = Network(
        distillation.make_student(), tasks={name: entry.task for name, entry in data.items()}, width=32
    ).eval()
    objective = Objective(distillation.make_criterion(student, data=data))
    tokenizer = open_tokenizer(str(distillation.first.tokenizer), max_length=distillation.first.max_length)
    for task in recipe.tasks:
        encoded = encode(data[task.name].splits["train"], task=data[task.name].task, tokenizer=tokenizer)
        batch = collate(encoded, rows=np.arange(6), pad_id=0)
        assert objective(StepInput(student, batch, task)).item() == pytest.approx(0, abs=2e-5)
        with torch.no_grad():
            student.heads[task.name].output.bias[0] += 1.0  # type: ignore[union-attr, operator, index]
        assert objective(StepInput(student, batch, task)).item() > 1e-3


def test_divergence_by_hand() -> None:
    own, wanted = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, 1.0], [0.0, 2.0]])
    p, q = functional.softmax(wanted / 2, dim=-1), functional.softmax(own / 2, dim=-1)
    expected = 4 * (p * (p / q).log()).sum() / 2
    torch.testing.assert_close(divergence(own, wanted, kind="single", temperature=2.0), expected)
    p, q = torch.sigmoid(wanted / 3), torch.sigmoid(own / 3)
    expected = 9 * (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean()
    torch.testing.assert_close(divergence(own, wanted, kind="multi", temperature=3.0), expected)
    assert float(divergence(own, own, kind="multi", temperature=2.0)) == pytest.approx(0, abs=1e-6)


def test_a_student_is_a_slice_of_its_teacher(encoder: Path) -> None:
    teacher = load_encoder(str(encoder))
    student = make_student(teacher, recipe=DistillRecipe(teachers=("t",), layers=(1,), neurons=40, width=24))
    assert len(layers_of(student)) == 1
    shapes = {name: tuple(value.shape) for name, value in student.named_parameters()}
    assert shapes["encoder.layer.0.intermediate.dense.weight"] == (40, 24)
    assert shapes["encoder.layer.0.attention.self.query.weight"] == (32, 24)
    with torch.no_grad():
        assert student(input_ids=torch.tensor([[2, 40, 3]])).last_hidden_state.shape == (1, 3, 24)
    same = make_student(teacher, recipe=DistillRecipe(teachers=("t",)))
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), teacher.parameters(), strict=True))
    with pytest.raises(RecipeError, match=r"The layers \[2\] cannot be kept: the encoder has 2"):
        make_student(teacher, recipe=DistillRecipe(teachers=("t",), layers=(2,)))


def test_teachers_are_averaged_and_asked_once(runs: Path, encoder: Path, corpora: Path, tmp_path: Path) -> None:
    network, tokenizer, _ = restore_run(Run(runs / "teacher"))
    entry = load_data(_recipe(encoder), root=corpora)[0]["emotion"]
    encoded = encode(entry.splits["train"], task=entry.task, tokenizer=tokenizer)

    def read(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network.encode(torch.from_numpy(ids), mask=torch.from_numpy(mask)).numpy()

    layers = matched_layers(load_encoder(str(encoder)), recipe=DistillRecipe(teachers=("t",)))
    one = Teacher(network, read, layers, 0, "one")
    exact = compute_outputs(one, task=entry.task, encoded=encoded)
    assert layers == (1,)
    assert exact.states.shape == (len(encoded), 1, 32)
    both = teacher_outputs(
        [one, dataclasses.replace(one, digest="two")], task=entry.task, rows=[encoded] * 2, cache=tmp_path
    )
    assert both is not None
    torch.testing.assert_close(both.logits, exact.logits)

    def silent(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        raise AssertionError("a teacher's answers are kept: it is not asked again")

    again = teacher_outputs([dataclasses.replace(one, read=silent)], task=entry.task, rows=[encoded], cache=tmp_path)
    assert again is not None
    assert torch.equal(again.logits, exact.logits)
    renamed = dataclasses.replace(entry.task, labels=entry.task.labels[::-1])
    with pytest.raises(RecipeError, match="knows emotion with other labels"):
        teacher_outputs([one], task=renamed, rows=[encoded], cache=tmp_path)
    unknown = dataclasses.replace(entry.task, name="mood")
    assert teacher_outputs([one], task=unknown, rows=[encoded], cache=tmp_path) is None


def test_a_student_fits_resumes_and_comes_back(runs: Path, encoder: Path, corpora: Path) -> None:
    recipe = _recipe(encoder, teachers=("teacher",), layers=(0,), neurons=64, width=16, match="all")
    recipe = dataclasses.replace(recipe, learn_embeddings=False)
    run = Run(runs / "small")
    progress = fit(recipe, data=load_data(recipe, root=corpora)[0], run=run, root=corpora)
    network, _, _ = restore_run(run)
    assert progress.step == 8
    assert not run.adapter.exists()
    assert len(layers_of(network.encoder)) == 1
    assert (runs / CACHE).is_dir()
    assert run.encoder()["width"] == 16
    untouched = open_distillation(recipe, run=run)
    assert untouched is not None
    start = dict(untouched.make_student().named_parameters())
    learned = dict(network.encoder.named_parameters())
    assert torch.equal(learned["embeddings.word_embeddings.weight"], start["embeddings.word_embeddings.weight"])
    changed = "encoder.layer.0.intermediate.dense.weight"
    assert not torch.equal(learned[changed], start[changed])


def test_a_distillation_without_a_known_task_is_refused(runs: Path, corpora: Path, tmp_path: Path) -> None:
    recipe = _recipe(tiny_encoder(tmp_path / "tiny"), teachers=("teacher",))
    recipe = dataclasses.replace(recipe, tasks=(TaskRecipe(name="market_topic"),))
    with pytest.raises(RecipeError, match="No teacher of smoke knows any of its tasks: market_topic"):
        fit(recipe, data=load_data(recipe, root=corpora)[0], run=Run(runs / "other"), root=corpora)
