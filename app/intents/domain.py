"""Questions to people from whose answers the model learns most, and the payoff of further teaching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.prediction import StoredPrediction

Verdict = Literal["too_few", "pays", "stops"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A ticket whose intent the model doubts; `margin` is how far its best guess leads, 0 (not at all) to 1."""

    ticket_id: int
    subject: str
    body: str
    text: str
    queue_id: int
    occurred_at: int
    stored: StoredPrediction
    margin: float


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The answered questions about one model's guesses, and the number of guesses that were right."""

    model: str
    n: int
    n_right: int


@dataclass(frozen=True, kw_only=True)
class Payoff:
    """The payoff of teaching a model: the share of its doubtful guesses that were right, with a 95 % interval.

    `n_missing` answers are needed before anything can be said.
    """

    model: str
    n: int
    n_right: int
    low: float
    high: float
    verdict: Verdict
    n_missing: int = 0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """The questions left of the day's `n_goal`, best first; `payoffs` are per model, the newest answered first."""

    questions: tuple[Question, ...]
    n_answered: int
    n_goal: int
    payoffs: tuple[Payoff, ...]
