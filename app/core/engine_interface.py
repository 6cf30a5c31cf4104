"""The interface of the engine: requests, results, and the methods that flows call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.prediction import Prediction

Lane = Literal["interactive", "bulk"]
"""Interactive requests overtake those in bulk."""

Slot = Literal["live", "shadow"]
LONGEST = 100_000
"""Characters of a text that are tokenized: several times the length that any model reads."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text to read for some tasks (None: all); `target` is the span in characters that market tasks judge.

    The result holds the `n_top` best labels with their probabilities, all of them for tasks with at most seven.
    """

    text: str
    tasks: tuple[str, ...] | None = None
    target: tuple[int, int] | None = None
    n_top: int = 3


@dataclass(frozen=True, kw_only=True)
class Result:
    """The predictions of a request in the order of its tasks, made by `model` (name@version), and their cost.

    The tokens of a text longer than `LONGEST` characters are estimated.
    """

    predictions: tuple[Prediction, ...]
    model: str
    n_tokens: int
    n_tokens_used: int
    is_cached: bool

    @property
    def is_truncated(self) -> bool:
        """True where part of the text was not read."""
        return self.n_tokens_used < self.n_tokens

    def of(self, task: str) -> Prediction:
        """The prediction of one task; KeyError when it was not asked for."""
        return {prediction.task: prediction for prediction in self.predictions}[task]


@dataclass(frozen=True, kw_only=True)
class Word:
    """A piece of a text (in characters), and by how much the label's probability falls without it (−1 to 1)."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The weights of a text's words for a label; at a fidelity of zero or less they say nothing.

    `slips` are misspelt words as typed and as read.
    """

    label: str
    probability: float
    words: tuple[Word, ...]
    fidelity: float
    slips: tuple[tuple[str, str], ...] = ()


class EngineLike(Protocol):
    """The engine as flows use it; `app.model.engine.engine.Engine` is the real one."""

    @property
    def is_ready(self) -> bool:
        """True once a live model is open."""

    @property
    def n_waiting(self) -> int:
        """The number of texts in the queue."""

    @property
    def tasks(self) -> Mapping[str, Any]:
        """The tasks of the live model by name, each with `role`, `kind` and `labels`."""

    def classify(
        self,
        requests: Sequence[Request],
        *,
        lane: Lane = "interactive",
        deadline_ms: float | None = None,
        slot: Slot = "live",
        is_patient: bool = True,
    ) -> list[Result]:
        """Return results in the order of the requests; raises Overloaded, DeadlineExceeded, TaskMissing, NotReady."""

    def explain(
        self, text: str, *, task: str, target: tuple[int, int] | None = None, deadline_ms: float | None = None
    ) -> Explanation:
        """Explain the live model's answer by the words that made it."""

    def embed(self, texts: Sequence[str], *, is_patient: bool = True) -> NDArray[np.float32]:
        """Return vectors of unit length [n, h] of the search encoder; raises NotReady without one, Overloaded."""

    def model(self, slot: Slot = "live") -> Any:
        """Return the model in a slot; raises NotReady for an empty one."""

    def swap(self, model: Any | None, *, slot: Slot = "live") -> Any | None:
        """Put an open model into a slot; returns the previous one."""
