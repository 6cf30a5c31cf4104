"""From logits to a decision: calibrated probabilities, abstention, confidence band, out of scope.

Temperatures, thresholds and bands are fitted on validation rows through the int8 graph that serves, and are stored in
decision.json. The temperature of a row is

    T(x) = temperature · H(x) ^ entropy_power,   H(x) = entropy of softmax(logits) / log(labels), at least 1e-4

With power 0 this is temperature scaling (Guo et al. 2017, arXiv:1706.04599); another power depends on how uncertain the
row is (Balanya et al. 2022, arXiv:2208.00461). Neither changes the order of a row's labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.labels import OUT_OF_SCOPE, Kind, Task

BandName = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class BandEdge:
    """A band of confidences from `low` on; on the validation rows `precision` of its `n` answers were right."""

    name: BandName
    low: float
    precision: float | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The fitted parameters of a task.

    entropy_power  exponent of a row's entropy in its temperature; 0 for multi-label tasks
    threshold      the model abstains below this confidence; it was chosen so that `precision` of the answers are right
    accept         thresholds of a multi-label task, in the order of the labels
    reject_from    from this P(out_of_scope) on the answer is `out_of_scope`, even if another label is more probable
    window         how the logits of the windows of a long text are combined
    """

    kind: Kind
    temperature: float = 1.0
    entropy_power: float = 0.0
    threshold: float = 0.0
    precision: float = 0.0
    bands: tuple[BandEdge, ...] = (BandEdge("low", 0.0, None, 0),)
    accept: tuple[float, ...] = ()
    reject_from: float | None = None
    window: Literal["mean"] = "mean"

    def band(self, confidence: float) -> BandEdge:
        """Return the band of a confidence."""
        return next((band for band in self.bands if confidence >= band.low), self.bands[-1])


@dataclass(frozen=True)
class Decided:
    """A decision: the label's index and probability, all probabilities, and the accepted labels if multi-label."""

    column: int
    probability: float
    probabilities: NDArray[np.float64]
    accepted: tuple[int, ...]
    is_abstained: bool
    band: BandEdge


def probabilities(logits: NDArray[np.float32], *, decision: Decision) -> NDArray[np.float64]:
    """Return calibrated probabilities [n, labels]: softmax, or sigmoid for a multi-label task, of logits / T."""
    exact = logits.astype(np.float64)
    if decision.kind == "multi":
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(exact / decision.temperature, -60, 60))))
    heat = decision.temperature * entropies(exact) ** decision.entropy_power if decision.entropy_power else None
    return _softmax(exact / (decision.temperature if heat is None else heat[:, None]))


def entropies(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy [n] of each row's softmax, divided by its maximum log(labels), at least 1e-4."""
    found = _softmax(logits)
    entropy = -(found * np.log(np.maximum(found, 1e-12))).sum(axis=1)
    return np.asarray(np.clip(entropy / np.log(max(found.shape[1], 2)), 1e-4, 1.0))


def _softmax(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def decide(logits: NDArray[np.float32], *, task: Task, decision: Decision) -> list[Decided]:
    """Return the decision of every row of logits [n, labels]."""
    return [decide_row(row, task=task, decision=decision) for row in probabilities(logits, decision=decision)]


def decide_row(row: NDArray[np.float64], *, task: Task, decision: Decision) -> Decided:
    """Return the decision of a row of calibrated probabilities [labels]."""
    accepted = _accepted(row, decision=decision)
    column = _leading(row, task=task, decision=decision, accepted=accepted)
    confidence = float(row[column])
    is_abstained = confidence < decision.threshold and task.labels[column].name != OUT_OF_SCOPE
    return Decided(column, confidence, row, accepted, is_abstained, decision.band(confidence))


def _accepted(row: NDArray[np.float64], *, decision: Decision) -> tuple[int, ...]:
    """Return the columns of the accepted labels of a multi-label task, the most probable first."""
    if decision.kind == "single":
        return ()
    chosen = chosen_labels(row[None], accept=decision.accept or (0.5,) * len(row))[0]
    order = np.argsort(-row, kind="stable")
    return tuple(order[chosen[order] == 1].tolist())


def chosen_labels(found: NDArray[np.float64], *, accept: ArrayLike) -> NDArray[np.int64]:
    """Return 0/1 [n, labels]: labels at or above their thresholds, or the one nearest to its own where none is."""
    ratio = found / np.asarray(accept)
    chosen = np.asarray(ratio >= 1, dtype=np.int64)
    chosen[np.arange(len(ratio)), ratio.argmax(axis=1)] = 1
    return chosen


def _leading(row: NDArray[np.float64], *, task: Task, decision: Decision, accepted: tuple[int, ...]) -> int:
    if accepted:
        return accepted[0]
    if decision.reject_from is not None:
        outside = task.index()[OUT_OF_SCOPE]
        if row[outside] >= decision.reject_from:
            return outside
    return int(row.argmax())


def save_decisions(path: Path, *, decisions: Mapping[str, Decision]) -> None:
    """Write decision.json."""
    rows = {task: asdict(decision) for task, decision in decisions.items()}
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def load_decisions(path: Path, *, tasks: Mapping[str, Task]) -> dict[str, Decision]:
    """Read decision.json. Raises ValueError or KeyError when a task's decision is missing or does not fit the task."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {name: _decision(rows[name], task=task) for name, task in tasks.items()}


def _decision(row: dict[str, Any], *, task: Task) -> Decision:
    bands = tuple(BandEdge(**band) for band in row["bands"])
    decision = Decision(**{**row, "bands": bands, "accept": tuple(row["accept"])})
    if decision.kind != task.kind or not bands or decision.temperature <= 0 or decision.window != "mean":
        raise ValueError(f"the decision of task {task.name} does not fit it")
    if decision.entropy_power and task.kind == "multi":
        raise ValueError(f"task {task.name} is multi-label; its temperature cannot depend on entropy")
    if decision.accept and len(decision.accept) != len(task.labels):
        raise ValueError(f"task {task.name} has {len(task.labels)} labels and {len(decision.accept)} thresholds")
    if decision.reject_from is not None and OUT_OF_SCOPE not in task.names:
        raise ValueError(f"task {task.name} has no label {OUT_OF_SCOPE} to reject with")
    return decision
