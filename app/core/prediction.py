"""Predictions of a model about a text, with their confidence, and the corrections of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["intent", "sentiment", "emotion", "market_sentiment", "market_topic"]
Band = Literal["high", "medium", "low"]

OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A label with its calibrated probability (0–1)."""

    label: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One task's answer for one text (or one target in it), by one artifact.

    `top` holds the three best labels, or all of them for tasks with at most seven; `label` is the best one even when
    the model abstained. A multi-label task lists its accepted labels in `labels`.
    """

    task: str
    role: Role
    model: str
    label: str
    probability: float
    top: tuple[Scored, ...]
    labels: tuple[str, ...] = ()
    abstained: bool = False
    band: Band = "low"
    band_precision: float | None = None
    is_shadow: bool = False

    @property
    def sentiment_score(self) -> float | None:
        """P(positive) − P(negative), −1 to 1; None for tasks without these labels."""
        by_label = {scored.label: scored.probability for scored in self.top}
        if "positive" not in by_label or "negative" not in by_label:
            return None
        return by_label["positive"] - by_label["negative"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All predictions for one text, its language, and how much of it the model read.

    `language` is an ISO 639-1 code; predictions of an unsupported language are all abstained.
    `n_tokens_used` < `n_tokens` when the text was cut.
    """

    predictions: tuple[Prediction, ...]
    language: str = "en"
    is_supported: bool = True
    n_tokens: int = 0
    n_tokens_used: int = 0

    def of_role(self, role: Role) -> Prediction | None:
        """Return the prediction of a role; None where the artifact in force has none."""
        return next((p for p in self.predictions if p.role == role and not p.is_shadow), None)


@dataclass(frozen=True, kw_only=True)
class StoredPrediction:
    """A prediction with its row id and its subject: a message, a post, or a mention."""

    id: int
    subject_kind: Literal["message", "post", "mention"]
    subject_id: int
    prediction: Prediction
    created_at: int


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A person's label where the model's was wrong; `is_undone` once it was undone."""

    id: int
    prediction_id: int
    subject_kind: str
    subject_id: int
    task: str
    label_before: str
    label: str
    model: str
    user_id: int
    created_at: int
    is_undone: bool = False
