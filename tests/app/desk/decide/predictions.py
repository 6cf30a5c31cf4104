"""Predictions written by hand, for the tests of deciding."""

from __future__ import annotations

from app.core.prediction import Prediction, Role, Scored


def prediction(
    label: str,
    *,
    probability: float = 0.9,
    others: dict[str, float] | None = None,
    task: str = "commerce_intent",
    role: Role = "intent",
    abstained: bool = False,
    labels: tuple[str, ...] = (),
) -> Prediction:
    """A prediction of `label`, with the other labels of its top."""
    scored = {label: probability, **(others or {})}
    top = tuple(Scored(label=name, probability=value) for name, value in scored.items())
    return Prediction(
        task=task,
        role=role,
        model="test@1",
        label=label,
        probability=probability,
        top=top,
        labels=labels,
        abstained=abstained,
    )
