"""Reading: the language check and the model's answer for each text, by the roles that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.core.engine_interface import Explanation, Lane, Request, Result
from app.core.errors import TaskMissing
from app.core.prediction import Reading, Role
from app.core.services import Services
from app.model.decide import language

TICKET_ROLES: tuple[Role, ...] = ("intent", "sentiment", "emotion")
FEELING_ROLES: tuple[Role, ...] = ("sentiment", "emotion")
POST_ROLES: tuple[Role, ...] = ("market_topic", "market_sentiment")

Target = tuple[int, int]


def tasks_for(services: Services, *, roles: Collection[Role], intent_task: str | None = None) -> tuple[str, ...]:
    """Return the live model's tasks of these roles; of the intent tasks only the one in force.

    Raises TaskMissing when an intent task is named that the model does not have.
    """
    known = services.engine.tasks
    wanted = intent_task or services.policy.intent_task
    if "intent" in roles and intent_task is not None and intent_task not in known:
        raise TaskMissing(task=intent_task)
    found = [name for name, task in known.items() if task.role in roles and (task.role != "intent" or name == wanted)]
    if "intent" in roles and wanted not in found:
        # The task of the setting is not in this model: a user's own model with one intent task works as well.
        found += [name for name, task in known.items() if task.role == "intent"][:1]
    return tuple(found)


def read(
    services: Services,
    texts: Sequence[str],
    *,
    intent_task: str | None = None,
    roles: Collection[Role] | None = None,
    targets: Sequence[Target | None] | None = None,
    tasks: tuple[str, ...] | None = None,
    lane: Lane = "interactive",
    is_patient: bool = True,
    n_top: int = 3,
    languages: Mapping[str, str] | None = None,
) -> list[Reading]:
    """Return the reading of each text in order; predictions of an unsupported language are all abstained.

    `languages` are the known ISO 639-1 codes by text; all others are detected. A patient caller waits for room where
    the bulk lane is full. Raises Overloaded, DeadlineExceeded, TaskMissing, NotReady.
    """
    asked = tasks_for(services, roles=roles or TICKET_ROLES, intent_task=intent_task) if tasks is None else tasks
    places = targets or [None] * len(texts)
    requests = [
        Request(text=text, tasks=asked, target=target, n_top=n_top) for text, target in zip(texts, places, strict=True)
    ]
    deadline = services.policy.deadline_ms if lane == "interactive" else None
    results = services.engine.classify(requests, lane=lane, deadline_ms=deadline, is_patient=is_patient)
    # One text with several targets is one language.
    found = {text: language_of(services, text, known=(languages or {}).get(text)) for text in dict.fromkeys(texts)}
    return [_reading(result, language=found[text]) for text, result in zip(texts, results, strict=True)]


def _reading(result: Result, *, language: tuple[str, bool]) -> Reading:
    code, is_supported = language
    predictions = result.predictions
    if not is_supported:
        predictions = tuple(replace(one, abstained=True, labels=(), band="low") for one in predictions)
    return Reading(
        predictions=predictions,
        language=code,
        is_supported=is_supported,
        n_tokens=result.n_tokens,
        n_tokens_used=result.n_tokens_used,
    )


def language_of(services: Services, text: str, *, known: str | None = None) -> tuple[str, bool]:
    """Return the language of a text, and False if it is certain and the model does not read it."""
    if known:
        return known, known in services.policy.languages
    found = language.detect(text)
    return found.code, not found.is_certain or found.code in services.policy.languages


def explain(services: Services, text: str, *, task: str, target: Target | None = None) -> Explanation:
    """Return the words behind the live model's answer, with the fidelity of this explanation; raise as `read` does."""
    return services.engine.explain(text, task=task, target=target, deadline_ms=services.policy.deadline_ms * 2)
