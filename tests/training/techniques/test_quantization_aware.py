"""Quantisation-aware fine-tuning: rounding twice is rounding once, gradients pass, baked weights lie on their grid."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from training.data import load_data
from training.fit import fit
from training.network.load_network import load_encoder, restore_run
from training.recipe import RecipeError, load_recipe, recipe_from
from training.run.run_folder import Run
from training.techniques.quantization_aware import (
    LEVELS,
    add_fake_quantisation,
    fake_quantise,
    remove_fake_quantisation,
)

_IDS = torch.tensor([[2, 40, 41, 42, 3]])


def _on_its_grid(weight: torch.Tensor) -> bool:
    steps = weight / (weight.abs().amax(dim=1, keepdim=True) / LEVELS)
    return bool((steps - steps.round()).abs().max() < 1e-2)


def test_rounding_is_stable_and_lets_gradients_pass() -> None:
    values = torch.tensor([0.3, -1.0, 2.0, 0.004], requires_grad=True)
    once = fake_quantise(values, limit=torch.tensor(2.0))
    torch.testing.assert_close(fake_quantise(once, limit=torch.tensor(2.0)), once)
    assert (once - values).abs().max() <= 1 / LEVELS
    torch.autograd.backward(once.sum())
    assert torch.equal(values.grad, torch.ones(4))  # type: ignore[arg-type]
    assert float(fake_quantise(torch.tensor(5.0), limit=torch.tensor(2.0))) == pytest.approx(2.0)


def test_baked_weights_answer_as_the_watched_ones(encoder: Path) -> None:
    plain = load_encoder(str(encoder)).eval()
    watched = copy.deepcopy(plain)
    add_fake_quantisation(watched)
    watched.train()
    with torch.no_grad():
        watched(input_ids=_IDS)
        exact, seen = (model.eval()(input_ids=_IDS).last_hidden_state for model in (plain, watched))
        remove_fake_quantisation(watched)
        baked = watched(input_ids=_IDS).last_hidden_state
    assert 1e-6 < (seen - exact).abs().max() < 0.2
    torch.testing.assert_close(baked, seen, atol=0.1, rtol=0.1)
    assert watched.state_dict().keys() == plain.state_dict().keys()
    layers = [module for module in watched.modules() if isinstance(module, nn.Linear)]
    assert all(_on_its_grid(layer.weight.detach()) for layer in layers)


def test_a_run_learns_rounded_and_leaves_rounded_weights(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    smoke = load_recipe("smoke")
    tasks = tuple(task for task in smoke.tasks if task.name == "emotion")
    recipe = dataclasses.replace(
        smoke, encoder=str(encoder), tasks=tasks, method="full", quantise_aware=True, lr=1e-3, max_steps=1
    )
    run = Run(tmp_path / "run")
    fit(recipe, data=load_data(recipe, root=corpora)[0], run=run, root=corpora)
    layers = [module for module in restore_run(run)[0].encoder.modules() if isinstance(module, nn.Linear)]
    assert layers
    assert all(_on_its_grid(layer.weight.detach()) for layer in layers)
    with pytest.raises(RecipeError, match="quantise_aware needs method full"):
        recipe_from({"quantise_aware": True})
