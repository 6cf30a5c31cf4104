"""Predictions on a ticket's page: the newest of each role, its correction, and the labels to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.prediction import Correction, Prediction, Scored, StoredPrediction
from app.core.services import Services
from app.desk.flows import find_agents, find_ticket_parts
from app.desk.flows.file_ticket import TicketView
from app.model.pages import label_choices
from app.model.pages.label_choices import Choices
from app.web.display.label_titles import label_title

ORDER = ("intent", "sentiment", "emotion")
SHOWN_ALTERNATIVES = 3
MOST_QUICK = 9


@dataclass(frozen=True, kw_only=True)
class Belief:
    """A prediction as the page shows it; `choices` are (label, title) to correct it with, `quick` the likeliest."""

    id: int
    prediction: Prediction
    titles: tuple[str, ...]
    alternatives: tuple[Scored, ...]
    choices: Choices
    is_supported: bool
    correction: Correction | None
    corrector: str
    quick: Choices = ()


def _newest(view: TicketView) -> list[StoredPrediction]:
    """The newest prediction of each role, in the page's order; shadow predictions are not shown."""
    found: dict[str, StoredPrediction] = {}
    for message in view.messages:
        for stored in view.predictions.get(message.id, ()):
            if not stored.prediction.is_shadow:
                found[stored.prediction.role] = stored
    return [found[role] for role in ORDER if role in found]


def choices_of(prediction: Prediction) -> Choices:
    """The labels that a prediction can be corrected to; its own while no open model has its task."""
    return label_choices.of_tasks([prediction.task]) or label_choices.titled(one.label for one in prediction.top)


def quick_of(services: Services, prediction: Prediction, *, choices: Choices) -> Choices:
    """The labels under the digit keys: the model's own order first, then those that people choose most."""
    titles = dict(choices)
    likely = [prediction.label, *(scored.label for scored in prediction.top)]
    likely += find_ticket_parts.frequent_labels(services, prediction.task, limit=MOST_QUICK)
    kept = [label for label in dict.fromkeys([*likely, *titles]) if label in titles]
    return tuple((label, titles[label]) for label in kept[:MOST_QUICK])


def of(services: Services, *, view: TicketView) -> list[Belief]:
    """The newest predictions of a ticket with their corrections."""
    active = [correction for correction in view.corrections if not correction.is_undone]
    names = find_agents.names(services, {correction.user_id for correction in active})
    supported = {message.id: message.is_supported for message in view.messages}
    found = []
    for stored in _newest(view):
        mine = [one for one in active if one.prediction_id == stored.id]
        correction = mine[-1] if mine else None
        prediction = stored.prediction
        choices = choices_of(prediction)
        found.append(
            Belief(
                id=stored.id,
                prediction=prediction,
                titles=tuple(label_title(label) for label in prediction.labels or (prediction.label,)),
                alternatives=prediction.top[:SHOWN_ALTERNATIVES],
                choices=choices,
                quick=quick_of(services, prediction, choices=choices),
                is_supported=supported.get(stored.subject_id, True),
                correction=correction,
                corrector=names.get(correction.user_id, "?") if correction else "",
            )
        )
    return found
