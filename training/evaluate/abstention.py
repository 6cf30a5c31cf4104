"""Abstention: how many rows are answered above a confidence threshold, and how many of those answers are right.

Coverage is the share of rows that are answered, risk the share of wrong answers among them (El-Yaniv and Wiener 2010).
The area under the risk-coverage curve (Geifman et al. 2019, arXiv:1805.08206) is the mean risk over all coverages.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.evaluate.figures import Abstention, CurvePoint

Confidence = npt.NDArray[np.float64]
Right = npt.NDArray[np.bool_]

POINTS = 20


def risk_coverage(confidence: Confidence, *, right: Right) -> list[CurvePoint]:
    """Return the risk-coverage curve at every twentieth of the rows."""
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    counts = np.unique(np.ceil(np.linspace(0, len(order), POINTS + 1)[1:]).astype(np.int64))
    return [
        {
            "coverage": round(float(count / len(order)), 4),
            "risk": round(float(wrong[count - 1] / count), 4),
            "from": round(float(confidence[order[count - 1]]), 4),
        }
        for count in counts
        if count
    ]


def area_under_risk_coverage(confidence: Confidence, *, right: Right) -> float:
    """Return the mean risk over all coverages; lower is better, a random ranking gives the share of wrong answers."""
    order = np.argsort(-confidence, kind="stable")
    return float((np.cumsum(~right[order]) / np.arange(1, len(order) + 1)).mean())


def apply_threshold(confidence: Confidence, *, right: Right, threshold: float) -> Abstention:
    """Return coverage and precision at a threshold; the precision is None when nothing is answered."""
    answered = confidence >= threshold
    precision = round(float(right[answered].mean()), 4) if answered.any() else None
    return {"threshold": threshold, "coverage": round(float(answered.mean()), 4), "precision": precision}
