"""Evaluation metrics, computed from probabilities and labels; shares are between 0 and 1.

scikit-learn computes what is computed once per evaluation. The figures that get a bootstrap interval are computed here
with numpy, because the bootstrap computes them 400 to 1,000 times per corpus: accuracy, recalls and F1 of BANKING77's
test file take 0.2 ms here and 9 ms with scikit-learn 1.9 (two cores with other work). A test compares both.

Calibration error: Guo et al. 2017, arXiv:1706.04599, with 15 bins of equal width; scikit-learn has none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

from models.decide import chosen_labels
from training.evaluate.figures import ConfusedPair, LabelRow, ReliabilityBin

Probabilities = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]
N_BINS = 15


def single_label(probabilities: Probabilities, *, targets: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return accuracy, macro recall, macro and weighted F1, and calibration error; the answer is the argmax."""
    answers = probabilities.argmax(axis=1)
    counts = confusion(targets, answers=answers, n_labels=probabilities.shape[1])
    return label_scores(counts) | {"ece": calibration_error(probabilities.max(axis=1), right=answers == targets)}


def confusion(
    targets: npt.NDArray[np.int64], *, answers: npt.NDArray[np.intp] | npt.NDArray[np.int64], n_labels: int
) -> Counts:
    """Return the confusion matrix [label, answer]."""
    pairs = np.bincount(targets * n_labels + answers, minlength=n_labels**2)
    return pairs.reshape(n_labels, n_labels).astype(np.int64)


def label_scores(counts: Counts) -> dict[str, float]:
    """Return the scores of a confusion matrix; macro averages are over the labels that occur in the rows."""
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
    """Return macro and micro F1 and calibration error of a multi-label task with the thresholds `accept` [labels]."""
    truth, chosen = targets.astype(np.int64), chosen_labels(probabilities, accept=accept)
    hits, total = (truth & chosen).sum(axis=0), truth.sum(axis=0) + chosen.sum(axis=0)
    return {
        "macro_f1": float((2 * hits / np.maximum(total, 1)).mean()),
        "micro_f1": float(2 * hits.sum() / max(int(total.sum()), 1)),
        "ece": calibration_error(probabilities.ravel(), right=targets.ravel() == 1),
    }


def validation_scores(logits: npt.NDArray[np.float32], *, targets: Targets) -> dict[str, float]:
    """Return accuracy, macro recall, macro and weighted F1 of logits [n, k]; targets are indices [n] or 0/1 [n, k].

    A row of a multi-label task gets every label with a positive logit, or its best label if there is none; its
    accuracy is the share of rows with all labels right.
    """
    if targets.ndim == 1:
        return label_scores(
            confusion(targets.astype(np.int64), answers=logits.argmax(axis=1), n_labels=logits.shape[1])
        )
    truth, chosen = targets.astype(np.int64), (logits > 0).astype(np.int64)
    chosen[np.arange(len(logits)), logits.argmax(axis=1)] = 1
    present = np.flatnonzero(truth.sum(axis=0))
    _, recall, f1, sizes = precision_recall_fscore_support(truth, chosen, labels=present, zero_division=0)
    return {
        "accuracy": float(accuracy_score(truth, chosen)),
        "macro_recall": float(recall.mean()),
        "macro_f1": float(f1.mean()),
        "weighted_f1": float((f1 * sizes).sum() / sizes.sum()),
    }


def per_label(truth: Counts, *, chosen: Counts, names: Sequence[str]) -> list[LabelRow]:
    """Return precision, recall, F1 and number of rows of each label, from 0/1 rows [n, labels]."""
    columns = zip(*precision_recall_fscore_support(truth, chosen, zero_division=0), strict=True)
    return [
        LabelRow(
            label=name,
            n=int(n),
            precision=round(float(precision), 4),
            recall=round(float(recall), 4),
            f1=round(float(f1), 4),
        )
        for name, (precision, recall, f1, n) in zip(names, columns, strict=True)
    ]


def confused(counts: Counts, *, names: Sequence[str], most: int = 15) -> list[ConfusedPair]:
    """Return the most frequent wrong answers of a confusion matrix: label, answer, number of rows."""
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(wrong)) for place in order]
    return [ConfusedPair(label=names[label], answer=names[answer], n=int(wrong[label, answer]))
            for label, answer in pairs if wrong[label, answer]]  # fmt: skip


def rejection_auroc(inside: Probabilities, *, outside: Probabilities) -> float:
    """Return the area under the ROC curve of P(out_of_scope) on the task's own texts (inside) and foreign ones."""
    is_foreign = np.repeat([0, 1], [len(inside), len(outside)])
    return float(roc_auc_score(is_foreign, np.concatenate([inside, outside])))


def rejection_recall(inside: Probabilities, *, outside: Probabilities, kept: float = 0.95) -> float:
    """Return the share of foreign texts above the threshold of P(out_of_scope) that keeps `kept` of the task's own."""
    return float((outside > np.quantile(inside, kept, method="higher")).mean())


def calibration_error(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error: |share right - mean confidence|, averaged over the rows of all bins."""
    bins = reliability(confidence, right=right)
    return sum(row["n"] * abs(row["right"] - row["confidence"]) for row in bins) / max(len(confidence), 1)


def reliability(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> list[ReliabilityBin]:
    """Return mean confidence, share right and number of rows of each bin that is not empty."""
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    return [
        ReliabilityBin(
            confidence=float(confidence[bins == at].mean()),
            right=float(right[bins == at].mean()),
            n=int((bins == at).sum()),
        )
        for at in np.unique(bins)
    ]
