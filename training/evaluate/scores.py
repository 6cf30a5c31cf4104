"""Scores of predicted labels, as the training loop watches them on validation rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def scores(
    logits: npt.NDArray[np.float32], *, targets: npt.NDArray[np.int64] | npt.NDArray[np.float32]
) -> dict[str, float]:
    """Accuracy, macro recall, macro and weighted F1 of logits [n, k]; targets [n] columns or [n, k] of 0/1.

    A multi-label row predicts every label whose logit is above zero, or its best one when none is; accuracy is
    then the share of rows that are right in every label.
    """
    truth = targets if targets.ndim == 2 else np.eye(logits.shape[1])[targets.astype(np.int64)]
    guess = _chosen(logits) if targets.ndim == 2 else np.eye(logits.shape[1])[logits.argmax(axis=1)]
    hits, found, real = (truth * guess).sum(axis=0), guess.sum(axis=0), truth.sum(axis=0)
    present = real > 0
    f1 = np.divide(2 * hits, found + real, out=np.zeros(len(hits)), where=found + real > 0)
    recall = np.divide(hits, real, out=np.zeros(len(hits)), where=present)
    return {
        "accuracy": float((truth == guess).all(axis=1).mean()),
        "macro_recall": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "weighted_f1": float((f1 * real).sum() / real.sum()),
    }


def _chosen(logits: npt.NDArray[np.float32]) -> Array:
    chosen = (logits > 0).astype(np.float64)
    nothing = chosen.sum(axis=1) == 0
    chosen[nothing, logits[nothing].argmax(axis=1)] = 1.0
    return chosen
