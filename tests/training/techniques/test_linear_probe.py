"""Heads that are fitted to the untrained encoder before the first step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from models.network import Head
from training.data import load_data
from training.fit import fit
from training.network.load_network import open_network
from training.recipe import RecipeError, recipe_from
from training.run.run_folder import Run
from training.techniques.linear_probe import INVERSE_REGULARISATION, fit_head

RNG = np.random.default_rng(3)


def _rows(labels: int, *, n: int = 60, width: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Features around one point a label, far from unit length, and their labels."""
    centres = RNG.normal(size=(labels, width)) * 5
    targets = np.arange(n) % labels
    found = centres[targets] + RNG.normal(size=(n, width))
    return torch.tensor(found, dtype=torch.float32), torch.tensor(targets)


def test_it_is_the_minimum_of_the_penalised_loss() -> None:
    features, targets = _rows(3)
    head = Head(8, labels=3)
    fit_head(head, features=features, targets=targets, kind="single", weights=None)
    scale = features.square().sum(dim=1).mean().sqrt()
    matrix = (head.output.weight.detach() * scale).requires_grad_()
    loss = functional.cross_entropy(features / scale @ matrix.T + head.output.bias.detach(), targets)
    loss = loss + matrix.square().sum() / (2 * INVERSE_REGULARISATION * len(features))
    (gradient,) = torch.autograd.grad(loss, matrix)
    assert gradient.abs().max() < 1e-3
    assert (head(features).argmax(dim=1) == targets).float().mean() > 0.9


def test_several_labels_a_text_have_their_own_decisions() -> None:
    features, targets = _rows(4)
    several = functional.one_hot(targets, 4).float()
    several[:, 0] = 1.0
    head = Head(8, labels=4).eval()
    fit_head(head, features=features, targets=several, kind="multi", weights=None)
    assert ((head(features) > 0) == several.bool()).float().mean() > 0.95


def test_a_hidden_layer_stays_as_it_was_drawn() -> None:
    features, targets = _rows(3)
    head = Head(8, labels=3, hidden=16).eval()
    before = head.hidden.weight.clone()  # type: ignore[union-attr]
    fit_head(head, features=features, targets=targets, kind="single", weights=None)
    assert torch.equal(head.hidden.weight, before)  # type: ignore[union-attr]
    assert (head(features).argmax(dim=1) == targets).float().mean() > 0.9


def test_a_run_that_only_probes_knows_its_rows_better(tmp_path: Path, corpora: Path, encoder: Path) -> None:
    recipe = replace(
        recipe_from({"name": "probe", "tasks": {"banking_intent": {}}, "method": "head", "max_steps": 1,
                     "head_lr": 1e-9, "precision": "fp32", "evaluate_every": 1}),
        encoder=str(encoder),
    )  # fmt: skip
    data, _ = load_data(recipe, root=corpora)
    losses = {}
    for rows in (0, 500):
        run = Run(tmp_path / str(rows))
        losses[rows] = fit(replace(recipe, probe=rows), data=data, run=run, root=corpora).losses["banking_intent"]
        assert len(open_network(run.path).network.heads) == 1
    assert losses[500] < losses[0]


def test_a_run_that_was_cut_before_its_first_checkpoint_probes_when_it_is_resumed(
    tmp_path: Path, corpora: Path, encoder: Path
) -> None:
    recipe = recipe_from({"name": "cut", "tasks": {"banking_intent": {}}, "method": "head", "probe": 500,
                          "max_steps": 2, "precision": "fp32"})  # fmt: skip
    recipe = replace(recipe, encoder=str(encoder))
    data, _ = load_data(recipe, root=corpora)
    whole, cut = Run(tmp_path / "whole"), Run(tmp_path / "cut")
    fit(recipe, data=data, run=whole, root=corpora)
    cut.path.mkdir()
    cut.write_recipe(recipe)
    fit(recipe, data=data, run=cut, root=corpora, resume=True)
    heads = [open_network(run.path).network.heads["banking_intent"].state_dict() for run in (whole, cut)]
    assert all(torch.equal(heads[0][name], heads[1][name]) for name in heads[0])


def test_a_negative_number_of_rows_is_refused() -> None:
    with pytest.raises(RecipeError, match="probe must not be below zero"):
        recipe_from({"probe": -1, "tasks": {"banking_intent": {}}})
