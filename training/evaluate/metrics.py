"""Figures of a model on labelled rows, from its probabilities; pure arithmetic.

Shares are 0–1. Calibration error: Guo et al. 2017, arXiv 1706.04599 (15 bins of equal width).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, recall_score, roc_auc_score

Probabilities = npt.NDArray[np.float64]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]
N_BINS = 15


def single_label(probabilities: Probabilities, *, targets: npt.NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, macro recall and F1 over the labels that occur, weighted F1 and ECE; the answer is the argmax."""
    answers = probabilities.argmax(axis=1)
    present = np.unique(targets).tolist()
    return {
        "accuracy": float((answers == targets).mean()),
        "macro_recall": float(recall_score(targets, answers, labels=present, average="macro", zero_division=0)),
        "macro_f1": float(f1_score(targets, answers, labels=present, average="macro", zero_division=0)),
        "weighted_f1": float(f1_score(targets, answers, labels=present, average="weighted", zero_division=0)),
        "ece": calibration_error(probabilities.max(axis=1), right=answers == targets),
    }


def multi_label(probabilities: Probabilities, *, targets: npt.NDArray[np.float32], accept: Targets) -> dict[str, float]:
    """Macro and micro F1 with the `accept` thresholds (the label nearest to its own where none passes), and ECE."""
    chosen = chosen_labels(probabilities, accept=accept)
    truth = targets.astype(np.int64)
    return {
        "macro_f1": float(f1_score(truth, chosen, average="macro", zero_division=0)),
        "micro_f1": float(f1_score(truth, chosen, average="micro", zero_division=0)),
        "ece": calibration_error(probabilities.ravel(), right=truth.ravel() == 1),
    }


def chosen_labels(probabilities: Probabilities, *, accept: Targets) -> npt.NDArray[np.int64]:
    """0/1 [n, labels]: labels at or above their thresholds, or the one nearest to its own."""
    ratio = probabilities / np.asarray(accept)
    chosen = np.asarray(ratio >= 1, dtype=np.int64)
    chosen[np.arange(len(ratio)), ratio.argmax(axis=1)] = 1
    return chosen


def rejection_auroc(inside: Probabilities, *, outside: Probabilities) -> float:
    """Area under the ROC curve of P(out_of_scope), texts of foreign intents against the task's own."""
    truth = np.concatenate([np.zeros(len(inside)), np.ones(len(outside))])
    return float(roc_auc_score(truth, np.concatenate([inside, outside])))


def calibration_error(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error: |share right − mean confidence| per bin, weighted by the bins' sizes."""
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    gaps = (abs(float((right[bins == at] - confidence[bins == at]).sum())) for at in np.unique(bins))
    return sum(gaps) / max(len(confidence), 1)
