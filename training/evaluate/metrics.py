"""Figures of a model on labelled rows, from its probabilities; pure arithmetic.

Shares are 0–1. Calibration error: Guo et al. 2017, arXiv 1706.04599 (15 bins of equal width).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]
N_BINS = 15


def single_label(probabilities: Probabilities, *, targets: npt.NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, macro recall and F1 over the labels that occur, weighted F1 and ECE; the answer is the argmax."""
    answers = probabilities.argmax(axis=1)
    columns = np.eye(probabilities.shape[1], dtype=np.int64)
    f1, recall, sizes = _per_label(columns[targets], chosen=columns[answers])
    present = sizes > 0
    return {
        "accuracy": float((answers == targets).mean()),
        "macro_recall": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "weighted_f1": float((f1 * sizes).sum() / sizes.sum()),
        "ece": calibration_error(probabilities.max(axis=1), right=answers == targets),
    }


def multi_label(probabilities: Probabilities, *, targets: npt.NDArray[np.float32], accept: Targets) -> dict[str, float]:
    """Macro and micro F1 with the `accept` thresholds (the label nearest to its own where none passes), and ECE."""
    chosen = chosen_labels(probabilities, accept=accept)
    truth = targets.astype(np.int64)
    f1, _, _ = _per_label(truth, chosen=chosen)
    return {
        "macro_f1": float(f1.mean()),
        "micro_f1": float(2 * (truth & chosen).sum() / max(int(truth.sum() + chosen.sum()), 1)),
        "ece": calibration_error(probabilities.ravel(), right=truth.ravel() == 1),
    }


def _per_label(
    truth: npt.NDArray[np.int64], *, chosen: npt.NDArray[np.int64]
) -> tuple[Probabilities, Probabilities, Probabilities]:
    """F1, recall and size of each label from 0/1 [n, labels]; 0 where a label neither occurs nor is chosen."""
    hits, sizes = (truth & chosen).sum(axis=0), truth.sum(axis=0)
    f1 = 2 * hits / np.maximum(sizes + chosen.sum(axis=0), 1)
    return f1, hits / np.maximum(sizes, 1), sizes.astype(np.float64)


def chosen_labels(probabilities: Probabilities, *, accept: Targets) -> npt.NDArray[np.int64]:
    """0/1 [n, labels]: labels at or above their thresholds, or the one nearest to its own."""
    ratio = probabilities / np.asarray(accept)
    chosen = np.asarray(ratio >= 1, dtype=np.int64)
    chosen[np.arange(len(ratio)), ratio.argmax(axis=1)] = 1
    return chosen


def rejection_auroc(inside: Probabilities, *, outside: Probabilities) -> float:
    """Area under the ROC curve of P(out_of_scope): how often a foreign text ranks above one of the task's own."""
    below = np.searchsorted(np.sort(inside), outside, side="left")
    up_to = np.searchsorted(np.sort(inside), outside, side="right")
    return float((below + up_to).mean() / 2 / len(inside))


def calibration_error(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error: |share right − mean confidence| per bin, weighted by the bins' sizes."""
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    gaps = (abs(float((right[bins == at] - confidence[bins == at]).sum())) for at in np.unique(bins))
    return sum(gaps) / max(len(confidence), 1)
