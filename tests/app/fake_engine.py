"""An engine that answers by keywords: fast, deterministic, and switched off at will."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.engine_interface import Explanation, Lane, Request, Result, Slot
from app.core.errors import BellwetherError, NotReady, TaskMissing
from app.core.prediction import Prediction, Scored
from app.model.engine.dispatch import Model
from models.labels import Task, make_task

MODEL = "fake@1.0"

TASKS = {
    task.name: task
    for task in (
        make_task(
            "commerce_intent",
            role="intent",
            kind="single",
            pooling="mean",
            labels=("track_order", "get_refund", "complaint", "out_of_scope"),
        ),
        make_task(
            "banking_intent",
            role="intent",
            kind="single",
            pooling="mean",
            labels=("card_arrival", "lost_or_stolen_card", "out_of_scope"),
        ),
        make_task(
            "sentiment", role="sentiment", kind="single", pooling="mean", labels=("negative", "neutral", "positive")
        ),
        make_task(
            "emotion",
            role="emotion",
            kind="multi",
            pooling="mean",
            labels=("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"),
        ),
        make_task(
            "market_sentiment",
            role="market_sentiment",
            kind="single",
            pooling="span",
            labels=("negative", "neutral", "positive"),
        ),
        make_task(
            "market_topic",
            role="market_topic",
            kind="single",
            pooling="mean",
            labels=("Earnings", "Legal | Regulation", "Macro"),
        ),
    )
}

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "commerce_intent": {
        "get_refund": ("refund", "money back"),
        "track_order": ("where is", "track", "order"),
        "complaint": ("complain", "terrible"),
    },
    "banking_intent": {"lost_or_stolen_card": ("stolen", "lost"), "card_arrival": ("card",)},
    "sentiment": {"negative": ("angry", "terrible", "stolen", "now"), "positive": ("thank", "great")},
    "emotion": {"anger": ("angry", "terrible", "now"), "joy": ("thank", "great")},
    "market_sentiment": {
        "negative": ("falls", "probe", "recall", "fraud", "strike"),
        "positive": ("rises", "beats", "record"),
    },
    "market_topic": {
        "legal_regulation": ("probe", "fraud", "court"),
        "earnings": ("profit", "beats", "falls", "rises"),
    },
}
DEFAULTS = {"commerce_intent": "out_of_scope", "banking_intent": "out_of_scope", "market_topic": "macro"}
UNSURE = "hmm"


@dataclass
class FakeEngine:
    """Answers by keywords; `failure` is raised instead while it is set, `seen` holds every text that was read."""

    failure: BellwetherError | None = None
    is_ready: bool = True
    n_waiting: int = 0

    def __post_init__(self) -> None:
        self.seen: list[Request] = []

    @property
    def tasks(self) -> Mapping[str, Any]:
        """Tasks of the keyword model."""
        self._fail()
        return TASKS

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def check(self) -> None:
        """Raise the failure, if one is set."""
        self._fail()

    def classify(
        self,
        requests: Sequence[Request],
        *,
        lane: Lane = "interactive",
        deadline_ms: float | None = None,
        slot: Slot = "live",
        is_patient: bool = True,
    ) -> list[Result]:
        """The first keyword that is in the text (or near its target) decides."""
        self._fail()
        self.seen += requests
        return [self._result(request) for request in requests]

    def _result(self, request: Request) -> Result:
        wanted = tuple(TASKS) if request.tasks is None else request.tasks
        for name in wanted:
            if name not in TASKS:
                raise TaskMissing(task=name)
        n_tokens = len(request.text.split())
        return Result(
            predictions=tuple(prediction(TASKS[name], request) for name in wanted),
            model=MODEL,
            n_tokens=n_tokens,
            n_tokens_used=n_tokens,
            is_cached=False,
        )

    def explain(
        self, text: str, *, task: str, target: tuple[int, int] | None = None, deadline_ms: float | None = None
    ) -> Explanation:
        """Not needed by the flows under test."""
        raise NotReady

    def embed(self, texts: Sequence[str], *, is_patient: bool = True) -> NDArray[np.float32]:
        """Bags of hashed words, of unit length: texts that share words are near."""
        self._fail()
        matrix = np.zeros((len(texts), 64), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                matrix[row, int(hashlib.sha256(word.strip(".,?!").encode()).hexdigest(), 16) % 64] += 1
        matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
        return matrix

    def model(self, slot: Slot = "live") -> Model:
        """There is no runtime behind it."""
        raise NotReady

    def swap(self, model: Model | None, *, slot: Slot = "live") -> Model | None:
        """There is nothing to swap."""
        return None


def prediction(task: Task, request: Request) -> Prediction:
    """What the keywords of a task say; `hmm` makes every task abstain."""
    text = request.text.lower()
    if request.target is not None:
        text = text[request.target[0] : request.target[1] + 25]
    found = next((label for label, words in WORDS[task.name].items() if any(word in text for word in words)), None)
    label = found or DEFAULTS.get(task.name, "neutral")
    is_unsure = UNSURE in text
    probability = 0.4 if is_unsure else 0.94
    others = [one.id for one in task.labels if one.id != label]
    rest = (1 - probability) / len(others)
    top = (Scored(label=label, probability=probability), *(Scored(label=one, probability=rest) for one in others))
    return Prediction(
        task=task.name,
        role=task.role,
        model=MODEL,
        label=label,
        probability=probability,
        top=top,
        labels=() if is_unsure or task.kind == "single" else (label,),
        abstained=is_unsure,
        band="low" if is_unsure else "high",
        band_precision=0.97,
    )
