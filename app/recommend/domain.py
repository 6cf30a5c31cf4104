"""Recommendations: what readers did, their profiles, candidates and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FeedbackKind = Literal["read", "like", "hide"]


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """An act of a reader with a post."""

    user_id: int
    post_id: int
    kind: FeedbackKind
    at: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A reader's interests as decayed weights per feature (`entity:3`, `topic:earnings`, …)."""

    weights: Mapping[str, float] = field(default_factory=dict)
    n_feedback: int = 0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A post as the ranker sees it: features with values, when it happened, whether it was seen."""

    post_id: int
    features: Mapping[str, float]
    occurred_at: int
    is_seen: bool = False


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A feature's share in a score."""

    feature: str
    value: float
    contribution: float


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A post with its score and the reasons, largest first."""

    post_id: int
    score: float
    reasons: tuple[Reason, ...] = ()
