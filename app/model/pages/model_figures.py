"""Figures of an artifact's tasks from its files, for the model page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.model.flows.deploy_model import ModelCard


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One corpus: the figure it is compared by, through the int8 graph and in float32, over `n` rows."""

    corpus: str
    metric: str
    n: int
    int8: float
    float32: float | None
    ece: float | None

    @property
    def difference(self) -> float | None:
        """int8 − float32."""
        return None if self.float32 is None else self.int8 - self.float32


@dataclass(frozen=True, kw_only=True)
class BandLine:
    """A band: confidences from `low` up, right in `precision` of `n` validation rows."""

    name: str
    low: float
    precision: float | None
    n: int


@dataclass(frozen=True, kw_only=True)
class TaskMeasure:
    """A task with its figures, its bands, and below which confidence it abstains."""

    name: str
    figures: tuple[Figure, ...]
    bands: tuple[BandLine, ...]
    threshold: float
    precision: float
    temperature: float


def _figure(row: Mapping[str, Any], *, int8: Mapping[str, Any]) -> Figure:
    return Figure(
        corpus=str(row["corpus"]),
        metric=str(row["metric"]),
        n=int(row["n"]),
        int8=float(row["int8"]),
        float32=row.get("float32"),
        ece=int8.get(row["corpus"], {}).get("ece"),
    )


def tasks(card: ModelCard) -> tuple[TaskMeasure, ...]:
    """Return every task that decision.json names, with the figures of its corpora."""
    int8 = card.metrics.get("int8", {})
    rows = card.metrics.get("headline", ())
    return tuple(
        TaskMeasure(
            name=name,
            figures=tuple(_figure(row, int8=int8) for row in rows if row["task"] == name),
            bands=tuple(
                BandLine(name=band["name"], low=band["low"], precision=band["precision"], n=band["n"])
                for band in decision.get("bands", ())
            ),
            threshold=decision.get("threshold", 0.0),
            precision=decision.get("precision", 0.0),
            temperature=decision.get("temperature", 1.0),
        )
        for name, decision in card.decision.items()
    )
