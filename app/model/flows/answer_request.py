"""Answers to requests of the API, with nothing stored: the probability of every label, and similarities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from app.core.engine_interface import Lane, Request, Result
from app.core.errors import TaskMissing
from app.core.prediction import Role
from app.core.services import Services

ALL_LABELS = 100_000
MOST_INTERACTIVE = 16
MOST_CHARACTERS = 100_000
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A text, and the span of it (in characters) that market tasks are about."""

    text: str
    target: tuple[int, int] | None = None


def task_named(services: Services, name: str | None) -> str:
    """Return the task of a name or a role (None: the intent task in force); raise TaskMissing where there is none."""
    tasks = services.engine.tasks
    wanted = name or services.policy.intent_task
    if wanted in tasks:
        return wanted
    of_role = [str(task.name) for task in tasks.values() if task.role == wanted]
    if wanted == "intent" and services.policy.intent_task in of_role:
        return services.policy.intent_task
    if of_role:
        return of_role[0]
    raise TaskMissing(task=wanted, choices=tuple(tasks))


def ask(
    services: Services, questions: Sequence[Question], *, tasks: Sequence[str], n_top: int = ALL_LABELS
) -> list[Result]:
    """Return the answers in order; few short texts overtake the rest, which has no deadline. Raises Overloaded."""
    asked = [Request(text=one.text, target=one.target, tasks=tuple(tasks), n_top=n_top) for one in questions]
    lane = lane_of([one.text for one in asked])
    deadline = services.policy.deadline_ms if lane == "interactive" else None
    return services.engine.classify(asked, lane=lane, deadline_ms=deadline, is_patient=False)


def lane_of(texts: Sequence[str]) -> Lane:
    """Return the lane of a call of these texts: few short ones overtake the rest."""
    is_bulk = len(texts) > MOST_INTERACTIVE or sum(map(len, texts)) > MOST_CHARACTERS
    return "bulk" if is_bulk else "interactive"


def rerank(services: Services, query: str, texts: Sequence[str]) -> list[tuple[int, float]]:
    """Return the places of texts with their similarity (−1 to 1) to the query, most similar first."""
    vectors = services.engine.embed([query, *texts], is_patient=False)
    scores = vectors[1:] @ vectors[0]
    order = np.argsort(-scores, kind="stable")
    return [(int(place), float(scores[place])) for place in order]
