"""Losses: cross entropy for single-label tasks, binary cross entropy for multi-label tasks, and a divergence."""

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
    """Return the mean loss of logits [B, k]; targets are label indices [B] (single) or 0/1 [B, k] (multi).

    `weights` [k] weight the labels (single) or the positives of each label (multi).
    """
    if kind == "single":
        return functional.cross_entropy(logits, targets, weight=weights, label_smoothing=label_smoothing)
    smooth = targets * (1.0 - label_smoothing) + label_smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, smooth, pos_weight=weights)


def label_weights(targets: npt.NDArray[Any], *, labels: int, power: float) -> Tensor | None:
    """Return loss weights [k]: inverse label frequency to a power, None for power 0.

    `targets` are label indices [n] (single; the weights' mean over the rows is 1) or 0/1 [n, k] (multi; the weight of
    a label is its ratio of negatives to positives, to that power).
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
    """Return T^2 KL(q || p), averaged over the rows, with q, p the probabilities of wanted / T and logits / T.

    The probabilities are a softmax for a single-label task. For a multi-label task they are one sigmoid per label, and
    the divergence of the k Bernoulli distributions is averaged over the labels too. Zero when the logits are equal.
    """
    own, target = logits / temperature, wanted / temperature
    if kind == "single":
        own, target = functional.log_softmax(own, dim=-1), functional.log_softmax(target, dim=-1)
        return temperature**2 * functional.kl_div(own, target, log_target=True, reduction="batchmean")
    share = torch.sigmoid(target)
    crossed = functional.binary_cross_entropy_with_logits(own, share)
    entropy = functional.binary_cross_entropy_with_logits(target, share)
    return temperature**2 * (crossed - entropy)
