"""Linear probing before fine-tuning: fit each head on the untrained encoder's states before the first step.

    W, b = argmin  L(W f(x) + b) + |W|^2 / (2 C n)       f(x): pooled states of n rows, at most `probe` per task

The states are scaled to a mean square length of 1. The large gradients of a randomly initialised head distort what a
pretrained encoder knows, most of all with little data and few steps; a fitted head avoids that (Kumar et al. 2022,
arXiv:2202.10054).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.labels import Kind
from models.network import Head, Network, pool
from training.data.batching import collate, length_batches
from training.data.encoding import Encoded
from training.network.losses import label_weights, task_loss
from training.recipe import Recipe

INVERSE_REGULARISATION = 10.0
"""C of the formula."""
ITERATIONS = 60


def fit_heads(network: Network, *, recipe: Recipe, rows: Mapping[str, Encoded], pad_id: int) -> None:
    """Fit the output layer of every task's head on its training rows; the encoder does not change."""
    for task in recipe.tasks:
        encoded = rows[task.name]
        chosen = _choose_rows(len(encoded), most=recipe.probe, seed=recipe.seed)
        if not len(chosen):
            continue
        features = pooled_states(network, task=task.name, encoded=encoded, rows=chosen, pad_id=pad_id)
        labels = len(network.tasks[task.name].labels)
        weights = label_weights(encoded.targets, labels=labels, power=task.class_weights)
        fit_head(cast(Head, network.heads[task.name]), features=features, kind=network.tasks[task.name].kind,
             targets=torch.from_numpy(encoded.targets[chosen]), weights=weights)  # fmt: skip


def _choose_rows(count: int, *, most: int, seed: int) -> npt.NDArray[np.int64]:
    chosen: npt.NDArray[np.int64] = np.random.default_rng(seed).permutation(count)[:most].astype(np.int64)
    return chosen


@torch.no_grad()
def pooled_states(
    network: Network, *, task: str, encoded: Encoded, rows: npt.NDArray[np.int64], pad_id: int, budget: int = 4096
) -> Tensor:
    """Return the pooled states [n, W] (float32, on the CPU) of the given rows, in their order."""
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    pooling, head = network.tasks[task].pooling, cast(Head, network.heads[task])
    found = torch.zeros(len(rows), (head.hidden or head.output).in_features)
    for places in length_batches(encoded.lengths[rows], budget=budget, max_rows=256):
        batch = collate(encoded, rows=rows[places], pad_id=pad_id)
        mask = None if batch.mask is None else torch.from_numpy(batch.mask).to(device)
        hidden = network.encode(torch.from_numpy(batch.ids).to(device), mask=mask).float()
        spans = torch.from_numpy(batch.spans).to(device)
        found[torch.from_numpy(places)] = pool(hidden, pooling=pooling, mask=mask, spans=spans).cpu()
    network.train(was_training)
    return found


def fit_head(head: Head, *, features: Tensor, targets: Tensor, kind: Kind, weights: Tensor | None) -> None:
    """Fit the head's output layer to features [n, W] by L-BFGS; the layer takes unscaled features afterwards."""
    if head.hidden is not None:
        with torch.no_grad():
            features = torch.tanh(head.hidden.cpu()(features))
    scale = float(features.square().sum(dim=1).mean().sqrt().clamp(min=1e-6))
    features, output = features / scale, head.output
    matrix = torch.zeros(output.weight.shape, requires_grad=True)
    bias = torch.zeros(output.bias.shape, requires_grad=True)
    solver = torch.optim.LBFGS([matrix, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")
    held = 1.0 / (2.0 * INVERSE_REGULARISATION * len(features))

    def loss() -> Tensor:
        solver.zero_grad()
        found = task_loss(features @ matrix.T + bias, targets, kind=kind, weights=weights)
        found = found + held * matrix.square().sum()
        torch.autograd.backward(found)
        return found

    cast(Any, solver).step(loss)
    with torch.no_grad():
        output.weight.copy_(matrix / scale)
        output.bias.copy_(bias)
