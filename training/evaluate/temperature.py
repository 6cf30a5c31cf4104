"""Temperature scaling: fit the temperature of a task's logits on validation rows, so that probabilities are calibrated.

A multi-label task gets the temperature with the lowest negative log-likelihood (Guo et al. 2017, arXiv:1706.04599). A
single-label task uses only the probability of its answer, so its temperature minimises the log loss of "the answer is
right" (top-label calibration, Gupta and Ramdas 2022, arXiv:2107.08353).

The temperature of a single-label task may also depend on a row's entropy (Balanya et al. 2022, arXiv:2208.00461; the
formula is in models/decide.py). That helps when rows of different corpora share a task. The second parameter, the
entropy power, is kept only if it clearly lowers the loss on held-out rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.decide import Decision, probabilities
from models.labels import Task

Logits = npt.NDArray[np.float32]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]

LOWEST, HIGHEST = 0.05, 20.0
POWERS = np.round(np.arange(-0.3, 0.61, 0.1), 1)
FOLDS = 5
ENOUGH_ROWS = 200
ENOUGH_WRONG = 30
"""With fewer wrong answers the entropy power would fit noise."""


def fit_temperature(logits: Logits, *, targets: Targets, task: Task, power: float = 0.0) -> float:
    """Return the temperature (0.05–20) with the lowest loss for a given entropy power."""

    def loss(log_temperature: float) -> float:
        decision = Decision(kind=task.kind, temperature=float(np.exp(log_temperature)), entropy_power=power)
        return float(row_losses(decision, logits=logits, targets=targets).mean())

    return round(float(np.exp(_golden_section(loss, low=np.log(LOWEST), high=np.log(HIGHEST)))), 4)


def fit_temperature_and_power(logits: Logits, *, targets: Targets, task: Task, seed: int = 0) -> tuple[float, float]:
    """Return a task's temperature and entropy power; the power is 0 unless another one is clearly better.

    Clearly better means that the mean loss on held-out rows falls by more than one standard error.
    """
    if task.kind == "multi" or len(logits) < ENOUGH_ROWS or (logits.argmax(axis=1) != targets).sum() < ENOUGH_WRONG:
        return fit_temperature(logits, targets=targets, task=task), 0.0
    order = np.random.default_rng(seed).permutation(len(logits))
    folds = [order[at::FOLDS] for at in range(FOLDS)]
    plain = _held_out_losses(logits, targets=targets, task=task, folds=folds, powers=np.zeros(1))
    gain = plain - _held_out_losses(logits, targets=targets, task=task, folds=folds, powers=POWERS)
    is_clear = gain.mean() > gain.std() / np.sqrt(len(gain))
    return _fit_best_power(logits, targets=targets, task=task, powers=POWERS if is_clear else np.zeros(1))


def _held_out_losses(
    logits: Logits, *, targets: Targets, task: Task, folds: list[npt.NDArray[np.int64]], powers: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the loss of each row with the parameters that were fitted on the other folds."""
    losses = np.zeros(len(logits))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(logits)), fold)
        temperature, power = _fit_best_power(logits[rest], targets=targets[rest], task=task, powers=powers)
        decision = Decision(kind=task.kind, temperature=temperature, entropy_power=power)
        losses[fold] = row_losses(decision, logits=logits[fold], targets=targets[fold])
    return losses


def _fit_best_power(
    logits: Logits, *, targets: Targets, task: Task, powers: npt.NDArray[np.float64]
) -> tuple[float, float]:
    found = []
    for power in powers.tolist():
        temperature = fit_temperature(logits, targets=targets, task=task, power=power)
        decision = Decision(kind=task.kind, temperature=temperature, entropy_power=power)
        loss = float(row_losses(decision, logits=logits, targets=targets).mean())
        found.append((loss, temperature, power))
    _, temperature, power = min(found)
    return temperature, power


def row_losses(decision: Decision, *, logits: Logits, targets: Targets) -> npt.NDArray[np.float64]:
    """Return each row's log loss: that of its answer (single-label) or the mean over all labels (multi-label)."""
    found = np.clip(probabilities(logits, decision=decision), 1e-12, 1 - 1e-12)
    if targets.ndim == 2:
        return np.asarray(-np.where(targets == 1, np.log(found), np.log(1 - found)).mean(axis=1))
    right, best = logits.argmax(axis=1) == targets, found.max(axis=1)
    return np.asarray(-np.where(right, np.log(best), np.log(1 - best)))


def _golden_section(loss: Callable[[float], float], *, low: float, high: float, steps: int = 25) -> float:
    shrink = (np.sqrt(5) - 1) / 2
    for _ in range(steps):
        width = shrink * (high - low)
        left, right = high - width, low + width
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2
