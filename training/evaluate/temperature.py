"""What a confidence is worth: the temperature of a task's logits, fitted on validation rows.

A multi-label task gets the one temperature with the lowest negative log-likelihood (Guo et al. 2017, 1706.04599).
A single-label task is fitted on the only probability that it acts on, that of its answer (top-label calibration, Gupta
and Ramdas 2022, 2107.08353): the log loss of "the answer is right". It may also let the temperature follow a row's own
entropy (Balanya et al. 2022, 2208.00461; the formula stands in models/decide.py), which counts where rows of several
corpora share a task; that second number is kept only where it clearly lowers the
loss on rows it was not fitted on.
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
"""Wrong answers below which a second number would follow chance."""


def fit_temperature(logits: Logits, *, targets: Targets, task: Task, power: float = 0.0) -> float:
    """The temperature (0.05–20) with the lowest loss at a given entropy power, by golden section on its logarithm."""

    def loss(log_temperature: float) -> float:
        decision = Decision(kind=task.kind, temperature=float(np.exp(log_temperature)), entropy_power=power)
        return float(row_losses(decision, logits=logits, targets=targets).mean())

    return round(float(np.exp(_golden_section(loss, low=np.log(LOWEST), high=np.log(HIGHEST)))), 4)


def fit_temperature_and_power(logits: Logits, *, targets: Targets, task: Task, seed: int = 0) -> tuple[float, float]:
    """A task's temperature and entropy power; power 0 where another one is not clearly better on rows held out.

    Clearly: by more than one standard error of the rows' differences in loss, and with wrong answers enough to tell.
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
    """The loss of each row under what was fitted on the other folds."""
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
    """Each row's log loss under a decision: of its answer (single-label), or the mean of all labels (multi-label)."""
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
