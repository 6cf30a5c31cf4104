"""Figures of a model on labelled rows, from its probabilities; pure arithmetic.

Shares are 0–1. Calibration error: Guo et al. 2017, arXiv 1706.04599 (15 bins of equal width).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.decide import chosen_labels

Probabilities = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]
N_BINS = 15


def single_label(probabilities: Probabilities, *, targets: npt.NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, macro recall and F1 over the labels that occur, weighted F1 and ECE; the answer is the argmax."""
    answers = probabilities.argmax(axis=1)
    found = of_confusion(confusion(targets, answers=answers, n_labels=probabilities.shape[1]))
    return found | {"ece": calibration_error(probabilities.max(axis=1), right=answers == targets)}


def confusion(
    targets: npt.NDArray[np.int64], *, answers: npt.NDArray[np.intp] | npt.NDArray[np.int64], n_labels: int
) -> Counts:
    """Rows by [label, answer]."""
    pairs = np.bincount(targets * n_labels + answers, minlength=n_labels**2)
    return pairs.reshape(n_labels, n_labels).astype(np.int64)


def of_confusion(counts: Counts) -> dict[str, float]:
    """Accuracy, macro recall and F1 over the labels that occur, and weighted F1."""
    hits, sizes, chosen = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    f1 = 2 * hits / np.maximum(sizes + chosen, 1)
    present = sizes > 0
    return {
        "accuracy": float(hits.sum() / max(int(sizes.sum()), 1)),
        "macro_recall": float((hits[present] / sizes[present]).mean()),
        "macro_f1": float(f1[present].mean()),
        "weighted_f1": float((f1 * sizes).sum() / max(int(sizes.sum()), 1)),
    }


def multi_label(probabilities: Probabilities, *, targets: npt.NDArray[np.float32], accept: Targets) -> dict[str, float]:
    """Macro and micro F1 with the `accept` thresholds (the label nearest to its own where none passes), and ECE."""
    found = of_choices(targets.astype(np.int64), chosen=chosen_labels(probabilities, accept=accept))
    return found | {"ece": calibration_error(probabilities.ravel(), right=targets.ravel() == 1)}


def of_choices(truth: Counts, *, chosen: Counts) -> dict[str, float]:
    """Macro and micro F1 of 0/1 rows [n, labels]."""
    hits, total = (truth & chosen).sum(axis=0), truth.sum(axis=0) + chosen.sum(axis=0)
    return {
        "macro_f1": float((2 * hits / np.maximum(total, 1)).mean()),
        "micro_f1": float(2 * hits.sum() / max(int(total.sum()), 1)),
    }


def per_label(truth: Counts, *, chosen: Counts, names: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and number of rows of each label, from 0/1 rows [n, labels]."""
    hits, sizes, guesses = (truth & chosen).sum(axis=0), truth.sum(axis=0), chosen.sum(axis=0)
    return [
        {
            "label": name,
            "n": int(sizes[at]),
            "precision": round(float(hits[at] / max(int(guesses[at]), 1)), 4),
            "recall": round(float(hits[at] / max(int(sizes[at]), 1)), 4),
            "f1": round(float(2 * hits[at] / max(int(sizes[at] + guesses[at]), 1)), 4),
        }
        for at, name in enumerate(names)
    ]


def confused(counts: Counts, *, names: Sequence[str], most: int = 15) -> list[dict[str, Any]]:
    """The pairs of labels that are most often taken for each other: what it is, what was answered, how many rows."""
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(wrong)) for place in order]
    return [{"label": names[one], "answer": names[two], "n": int(wrong[one, two])} for one, two in pairs
            if wrong[one, two]]  # fmt: skip


def rejection_auroc(inside: Probabilities, *, outside: Probabilities) -> float:
    """Area under the ROC curve of P(out_of_scope): how often a foreign text ranks above one of the task's own."""
    below = np.searchsorted(np.sort(inside), outside, side="left")
    up_to = np.searchsorted(np.sort(inside), outside, side="right")
    return float((below + up_to).mean() / 2 / len(inside))


def rejection_recall(inside: Probabilities, *, outside: Probabilities, kept: float = 0.95) -> float:
    """Share of foreign texts that are rejected by the cut on P(out_of_scope) that keeps `kept` of the task's own."""
    return float((outside > np.quantile(inside, kept, method="higher")).mean())


def calibration_error(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error: |share right − mean confidence| per bin, weighted by the bins' sizes."""
    return sum(row["n"] * abs(row["right"] - row["confidence"]) for row in reliability(confidence, right=right)) / max(
        len(confidence), 1
    )


def reliability(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    """The bins of a reliability plot: mean confidence, share right and rows of each bin that holds any."""
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == at].mean()),
            "right": float(right[bins == at].mean()),
            "n": int((bins == at).sum()),
        }
        for at in np.unique(bins)
    ]
