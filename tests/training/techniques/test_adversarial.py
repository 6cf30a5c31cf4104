"""Attacks, R-Drop and learned weights: at zero strength each is the plain loss; at work each does what it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network import Network
from training.data import load_data
from training.data.batching import collate
from training.data.encoding import encode, open_tokenizer
from training.fit import build_network, fit
from training.loop import Objective, StepInput
from training.network.load_network import load_encoder
from training.recipe import AdversarialRecipe, Recipe, load_recipe
from training.run.run_folder import Run
from training.techniques.adversarial import AdversarialObjective
from training.techniques.loss_weighting import UncertaintyWeighting
from training.techniques.rdrop import RDropObjective

ATTACKS = ("fgm", "pgd", "freelb")


def _recipe(encoder: Path, **changes: object) -> Recipe:
    smoke = load_recipe("smoke")
    wanted = ("emotion", "market_sentiment")
    tasks = tuple(dataclasses.replace(task, passes=3.0) for task in smoke.tasks if task.name in wanted)
    return dataclasses.replace(smoke, encoder=str(encoder), tasks=tasks, precision="fp32", max_steps=3, **changes)  # type: ignore[arg-type]


def _make_steps(recipe: Recipe, *, corpora: Path) -> list[StepInput]:
    """One step per task of a network that has no dropout."""
    torch.manual_seed(0)
    data = load_data(recipe, root=corpora)[0]
    tasks = {name: entry.task for name, entry in data.items()}
    network: Network = build_network(load_encoder(recipe.encoder), recipe=recipe, tasks=tasks).eval()
    tokenizer = open_tokenizer(str(Path(recipe.encoder) / "tokenizer.json"), max_length=32)
    steps = []
    for task in recipe.tasks:
        encoded = encode(data[task.name].splits["train"], task=tasks[task.name], tokenizer=tokenizer)
        steps.append(StepInput(network, collate(encoded, rows=np.arange(5), pad_id=0), task))
    return steps


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_zero_radius_attack_changes_nothing(encoder: Path, corpora: Path, attack: str, method: str) -> None:
    for step in _make_steps(_recipe(encoder, method=method), corpora=corpora):
        hit = AdversarialObjective(step.network, recipe=AdversarialRecipe(attack, radius=0.0))
        torch.testing.assert_close(hit(step), Objective()(step))


def _shares(step: StepInput) -> list[float]:
    """Filled as the network reads: the longest shift of a row's embeddings, as a share of their norm."""
    found: list[float] = []

    def note(table: nn.Module, given: tuple[Tensor], rows: Tensor) -> None:
        plain = functional.embedding(given[0], table.weight)  # type: ignore[arg-type]
        shift = (rows - plain).detach().flatten(1).norm(dim=1)
        found.append(float((shift / plain.detach().flatten(1).norm(dim=1)).max()))

    step.network.encoder.get_submodule("embeddings.word_embeddings").register_forward_hook(note)
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_makes_the_loss_worse_and_stays_in_its_ball(encoder: Path, corpora: Path, attack: str) -> None:
    for step in _make_steps(_recipe(encoder, method="full"), corpora=corpora):
        hit = AdversarialObjective(step.network, recipe=AdversarialRecipe(attack, radius=0.2, steps=3))
        shares = _shares(step)
        worse = hit(step)
        assert worse.item() > Objective()(step).item()
        assert 0.05 < max(shares) <= 0.2001
        torch.autograd.backward(worse)
        assert step.network.heads[step.task.name].output.weight.grad is not None  # type: ignore[union-attr]


def test_rdrop_without_dropout_is_the_plain_loss(encoder: Path, corpora: Path) -> None:
    for step in _make_steps(_recipe(encoder), corpora=corpora):
        torch.testing.assert_close(RDropObjective(weight=5.0)(step), Objective()(step))
        step.network.train()
        torch.manual_seed(1)
        once = RDropObjective(weight=0.0)(step).item()
        torch.manual_seed(1)
        assert RDropObjective(weight=5.0)(step).item() > once
        step.network.eval()


def test_learned_weights_start_plain_and_follow_the_loss(encoder: Path, corpora: Path) -> None:
    steps = _make_steps(_recipe(encoder), corpora=corpora)
    balanced = UncertaintyWeighting(Objective(), tasks=[step.task.name for step in steps])
    for step in steps:
        plain = Objective()(step)
        torch.testing.assert_close(balanced(step), plain)
        torch.autograd.backward(balanced(step))
        gradient = balanced.noise[step.task.name].grad
        assert gradient is not None
        assert gradient.item() == pytest.approx(0.5 - plain.item(), abs=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"adversarial": AdversarialRecipe("freelb", steps=2)},
        {"adversarial": AdversarialRecipe("pgd", steps=2), "method": "full", "precision": "bf16"},
        {"rdrop": 1.0, "dropout": 0.1, "balance": "uncertainty"},
    ],
)
def test_a_run_learns_by_it_and_resumes(
    encoder: Path, corpora: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    recipe = dataclasses.replace(_recipe(encoder), **changes)  # type: ignore[arg-type]
    run = Run(tmp_path / "run")
    data = load_data(recipe, root=corpora)[0]
    assert fit(recipe, data=data, run=run, root=corpora).step == 3
    assert fit(recipe, data=data, run=run, root=corpora, resume=True).step == 3
    assert run.recipe() == recipe
