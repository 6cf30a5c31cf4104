"""Fit a task's decision: temperature, abstention threshold, confidence bands, label thresholds and rejection.

Everything is fitted on validation rows whose logits come from the int8 graph that serves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.decide import BandEdge, BandName, Decision, chosen_labels, probabilities
from models.labels import OUT_OF_SCOPE, Task
from training.evaluate.temperature import fit_temperature_and_power

Logits = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float64]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]

BAND_PRECISION = {"high": 0.95, "medium": 0.80}
BAND_FLOOR = {"high": 0.80, "medium": 0.50}
LIKELY = 0.5
BAND_SHARE = 0.05
MIN_ROWS = 30
RIGHTLY_REJECTED = 0.95
GRID = np.round(np.arange(0.05, 0.96, 0.01), 2)


def fit_decision(logits: Logits, *, targets: Targets, task: Task, precision: float) -> Decision:
    """Fit a task's decision on validation logits [n, labels].

    The task abstains below the confidence above which `precision` of the answers are right; a single-label task also
    abstains below 0.5, where the answer is more likely wrong than right.
    """
    temperature, power = fit_temperature_and_power(logits, targets=targets, task=task)
    plain = Decision(kind=task.kind, temperature=temperature, entropy_power=power)
    found = probabilities(logits, decision=plain)
    accept = fit_accept(found, targets=targets) if task.kind == "multi" else ()
    confidence, right = answer_confidence(found, targets=targets, accept=accept)
    return Decision(
        kind=task.kind,
        temperature=temperature,
        entropy_power=power,
        threshold=max(lowest_confidence(confidence, right=right, precision=precision), 0.0 if accept else LIKELY),
        precision=precision,
        bands=fit_bands(confidence, right=right),
        accept=accept,
        reject_from=fit_rejection(found, targets=targets, task=task),
    )


def fit_accept(found: Probabilities, *, targets: Targets) -> tuple[float, ...]:
    """Return for each label of a multi-label task the threshold with the best F1, the higher one on a tie."""
    return tuple(_best_f1(found[:, at], truth=targets[:, at] == 1) for at in range(found.shape[1]))


def _best_f1(column: Probabilities, *, truth: npt.NDArray[np.bool_]) -> float:
    chosen = column[None, :] >= GRID[:, None]
    hits = (chosen & truth).sum(axis=1)
    f1 = 2 * hits / np.maximum(chosen.sum(axis=1) + truth.sum(), 1)
    return float(GRID[len(GRID) - 1 - int(f1[::-1].argmax())])


def answer_confidence(
    found: Probabilities, *, targets: Targets, accept: tuple[float, ...]
) -> tuple[Probabilities, npt.NDArray[np.bool_]]:
    """Return the confidence of each row's answer, and True where it is right.

    The answer of a multi-label row is its most probable accepted label.
    """
    rows = np.arange(len(found))
    if not accept:
        answers = found.argmax(axis=1)
        return found[rows, answers], answers == targets
    answers = np.where(chosen_labels(found, accept=accept) == 1, found, -1).argmax(axis=1)
    return found[rows, answers], targets[rows, answers] == 1


def lowest_confidence(confidence: Probabilities, *, right: npt.NDArray[np.bool_], precision: float) -> float:
    """Return the lowest confidence above which at least `precision` of the answers are right, 1.0 if there is none.

    A confidence with fewer than 30 answers above it does not count.
    """
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero((share >= precision) & (np.arange(1, len(order) + 1) >= min(MIN_ROWS, len(order))))
    if len(good) == 0:
        return 1.0
    return 0.0 if good[-1] == len(order) - 1 else float(np.floor(confidence[order][good[-1]] * 1e4) / 1e4)


def fit_bands(confidence: Probabilities, *, right: npt.NDArray[np.bool_]) -> tuple[BandEdge, ...]:
    """Return the confidence bands high, medium and low with the precision measured in each.

    Answers are right in 95 % of the high and 80 % of the medium band, which start at a confidence of at least 0.8 and
    0.5. If less than 5 % of the rows would be in a band, high is the top third, or medium the better half of the rest,
    whatever their precision.
    """
    high = max(lowest_confidence(confidence, right=right, precision=BAND_PRECISION["high"]), BAND_FLOOR["high"])
    if (confidence >= high).mean() < BAND_SHARE:
        high = round(float(np.quantile(confidence, 2 / 3)), 4)
    rest = confidence < high
    medium = (
        lowest_confidence(confidence[rest], right=right[rest], precision=BAND_PRECISION["medium"])
        if rest.any()
        else high
    )
    medium = min(max(medium, BAND_FLOOR["medium"]), high)
    if rest.any() and (confidence[rest] >= medium).mean() < BAND_SHARE:
        medium = min(round(float(np.quantile(confidence[rest], 1 / 2)), 4), high)
    edges: list[tuple[BandName, float, float]] = [("high", high, np.inf)]
    edges += [("medium", medium, high), ("low", 0.0, medium)]
    return tuple(_measure_band(name, low=low, up_to=up, confidence=confidence, right=right) for name, low, up in edges)


def _measure_band(
    name: BandName, *, low: float, up_to: float, confidence: Probabilities, right: npt.NDArray[np.bool_]
) -> BandEdge:
    inside = (confidence >= low) & (confidence < up_to)
    return BandEdge(name, low, round(float(right[inside].mean()), 4) if inside.any() else None, int(inside.sum()))


def fit_rejection(found: Probabilities, *, targets: Targets, task: Task) -> float | None:
    """Return the threshold of P(out_of_scope) that rejects 95 % of the out-of-scope rows.

    Returns None if it is 0.5 or more, because then the most probable label decides, or if there are too few rows.
    """
    if OUT_OF_SCOPE not in task.names:
        return None
    column = task.index()[OUT_OF_SCOPE]
    outside = found[targets == column, column]
    if len(outside) < MIN_ROWS:
        return None
    edge = round(float(np.quantile(outside, 1 - RIGHTLY_REJECTED)), 4)
    return edge if edge < 0.5 else None
