"""Predictions from rows of logits by the decisions of the artifact, a whole column of answers at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.prediction import Prediction, Scored
from app.model.engine.answer_cache import Row
from models.decide import Decided, Decision, decide
from models.labels import Task

SHOW_ALL = 7


def predictions_of(
    rows: Sequence[Row], *, layout: Sequence[Task], decisions: dict[str, Decision], wanted: Sequence[str],
    model: str, n_top: int,
) -> list[tuple[Prediction, ...]]:  # fmt: skip
    """Return predictions of each row for the `wanted` tasks; `layout` are the tasks in the order of their logits."""
    if not rows:
        return []
    logits = np.stack([row.logits for row in rows])
    answers: dict[str, list[Prediction]] = {}
    for task, part in _columns(logits, layout=layout):
        if task.name in wanted:
            decided = decide(part, task=task, decision=decisions[task.name])
            answers[task.name] = _predictions(decided, task=task, model=model, n_top=n_top)
    return [
        tuple(_certain(answers[task][at], has_text=row.n_tokens > 0) for task in wanted) for at, row in enumerate(rows)
    ]


def _columns(logits: NDArray[np.float32], *, layout: Sequence[Task]) -> Iterator[tuple[Task, NDArray[np.float32]]]:
    at = 0
    for task in layout:
        yield task, logits[:, at : at + len(task.labels)]
        at += len(task.labels)


def _predictions(decided: Sequence[Decided], *, task: Task, model: str, n_top: int) -> list[Prediction]:
    count = len(task.labels) if len(task.labels) <= SHOW_ALL else min(max(n_top, 1), len(task.labels))
    matrix = np.stack([one.probabilities for one in decided])
    order = np.argsort(-matrix, axis=1, kind="stable")[:, :count].tolist()
    ids = task.ids
    return [
        Prediction(
            task=task.name,
            role=task.role,
            model=model,
            label=ids[one.column],
            probability=one.probability,
            top=tuple(Scored(label=ids[at], probability=float(one.probabilities[at])) for at in columns),
            labels=tuple(ids[at] for at in one.accepted),
            abstained=one.is_abstained,
            band=one.band.name,
            band_precision=one.band.precision,
        )
        for one, columns in zip(decided, order, strict=True)
    ]


def _certain(prediction: Prediction, *, has_text: bool) -> Prediction:
    """Return a prediction that abstains for a text without a single token, whatever its probabilities are."""
    if has_text or prediction.abstained:
        return prediction
    return Prediction(**{**vars(prediction), "abstained": True, "band": "low", "band_precision": None})
