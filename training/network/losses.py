"""Losses by a task's kind: cross entropy for one label, binary cross entropy for several."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.labels import Kind


def task_loss(
    logits: Tensor, targets: Tensor, *, kind: Kind, weights: Tensor | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """Mean loss of a batch: logits [B, k]; targets [B] of columns (single) or [B, k] of 0/1 (multi).

    `weights` [k] weigh the labels (single) or the positive side of each label (multi).
    """
    if kind == "single":
        return functional.cross_entropy(logits, targets, weight=weights, label_smoothing=label_smoothing)
    smooth = targets * (1.0 - label_smoothing) + label_smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, smooth, pos_weight=weights)


def label_weights(targets: npt.NDArray[Any], *, labels: int, power: float) -> Tensor | None:
    """Weights [k] by inverse label frequency to a power (0 none, 1 full balance), the mean over rows being 1.

    `targets` are columns [n] (single) or 0/1 [n, k] (multi).
    """
    if power == 0:
        return None
    if targets.ndim == 2:
        share = targets.mean(axis=0).clip(1e-4, 1 - 1e-4)
        return torch.tensor(((1 - share) / share) ** power, dtype=torch.float32)
    counts = np.bincount(targets.astype(np.int64), minlength=labels).clip(1)
    weights = (counts.sum() / counts) ** power
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)


def divergence(logits: Tensor, wanted: Tensor, *, kind: Kind, temperature: float = 1.0) -> Tensor:
    """T^2 times the mean divergence of the `logits`' from the wanted ones' probabilities at temperature T.

    Over all labels for a single-label task; summed over the labels' two sides, and averaged over labels, for a
    multi-label one. Zero when both logits are the same.
    """
    own, target = logits / temperature, wanted / temperature
    if kind == "single":
        own, target = functional.log_softmax(own, dim=-1), functional.log_softmax(target, dim=-1)
        return temperature**2 * functional.kl_div(own, target, log_target=True, reduction="batchmean")
    share = torch.sigmoid(target)
    crossed = functional.binary_cross_entropy_with_logits(own, share)
    entropy = functional.binary_cross_entropy_with_logits(target, share)
    return temperature**2 * (crossed - entropy)
