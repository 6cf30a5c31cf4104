"""Corrections: a person's label replaces the model's at once, and is an example for training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.core import clock
from app.core.db import Transaction
from app.core.errors import FieldError, InputError, TaskMissing
from app.core.events import history
from app.core.events.event import Event
from app.core.nouns import Changed, Fields
from app.core.permissions import Viewer
from app.core.prediction import Correction, StoredPrediction
from app.core.registry import Registry
from app.core.services import Services
from app.intents.store import corrections
from app.model.store import predictions


@dataclass(frozen=True, kw_only=True)
class SeenText:
    """The text that a person judged, and the ticket or post that it belongs to.

    `target` is the span of a mention in it, in characters.
    """

    noun_id: int
    text: str
    target: tuple[int, int] | None = None


class CorrectionSubject(Protocol):
    """A kind of subject of predictions; `noun` is the thing whose history lists their corrections."""

    noun: str

    def seen(self, tx: Transaction, subject_id: int, *, viewer: Viewer) -> SeenText:
        """Return the text of a subject; raise NotFound for one out of the viewer's sight."""

    def believed(self, tx: Transaction, stored: StoredPrediction, *, noun_id: int, label: str) -> Fields:
        """Return the columns that a person's label changes, and those that follow from them."""

    def write(self, tx: Transaction, subject_id: int, *, noun_id: int, columns: Fields) -> Fields:
        """Write columns and update what counts them; return their earlier values."""


SUBJECTS: Registry[CorrectionSubject] = Registry()
"""The subjects of predictions, by their `subject_kind`."""


def correct(
    services: Services, *, viewer: Viewer, label: str, prediction_id: int, is_asked: bool = False
) -> Changed[Correction]:
    """Correct a prediction; `is_asked`: the label answers a question of the lesson.

    Raises NotAllowed for a viewer who is no person, NotFound, InputError `unknown_label`, TaskMissing.
    """
    viewer.person_id(permission="tickets:write")
    stored = predictions.get(services.db, prediction_id)
    return correct_stored(services, stored, viewer=viewer, label=label, is_asked=is_asked)


def correct_stored(
    services: Services, stored: StoredPrediction, *, viewer: Viewer, label: str, is_asked: bool = False
) -> Changed[Correction]:
    """Correct a prediction that was looked up already; raise as `correct` does."""
    check_label(services, stored.prediction.task, label=label)
    with services.db.transaction() as tx:
        return correct_in(tx, stored, label=label, viewer=viewer, is_asked=is_asked)


def check_label(services: Services, task: str, *, label: str) -> None:
    """Raise TaskMissing or InputError `unknown_label` for a label that the live model does not have."""
    known = services.engine.tasks.get(task)
    if known is None:
        raise TaskMissing(task=task)
    if label not in {one.id for one in known.labels}:
        fields = [FieldError(pointer="/label", code="unknown_label", params=(("label", label), ("task", task)))]
        raise InputError("unknown_label", fields=fields, label=label, task=task)


def correct_in(
    tx: Transaction, stored: StoredPrediction, *, label: str, viewer: Viewer, is_asked: bool = False
) -> Changed[Correction]:
    """Correct a prediction in an open transaction, with a label that was checked before."""
    user_id, subject = viewer.person_id(permission="tickets:write"), SUBJECTS[stored.subject_kind]
    seen = subject.seen(tx, stored.subject_id, viewer=viewer)
    was = corrections.in_force(
        tx, subject_kind=stored.subject_kind, subject_id=stored.subject_id, task=stored.prediction.task
    )
    correction_id = corrections.insert(
        tx,
        prediction_id=stored.id,
        subject_kind=stored.subject_kind,
        subject_id=stored.subject_id,
        task=stored.prediction.task,
        label_before=stored.prediction.label if was is None else was.label,
        label=label,
        model=stored.prediction.model,
        user_id=user_id,
        created_at=clock.now_ms(),
        text=seen.text,
        target=seen.target,
        is_asked=is_asked,
    )
    event = _put_in_force(tx, stored, label=label, noun_id=seen.noun_id, correction_id=correction_id, viewer=viewer)
    return Changed(row=corrections.get(tx, correction_id), event=event)


def _put_in_force(
    tx: Transaction, stored: StoredPrediction, *, label: str, noun_id: int, correction_id: int, viewer: Viewer
) -> Event:
    kind, subject = stored.subject_kind, SUBJECTS[stored.subject_kind]
    columns = subject.believed(tx, stored, noun_id=noun_id, label=label)
    before = subject.write(tx, stored.subject_id, noun_id=noun_id, columns=columns)
    return history.record(
        tx,
        actor=history.of(viewer),
        verb="corrected",
        noun=subject.noun,
        noun_id=noun_id,
        before=before,
        after={
            **columns,
            "correction_id": correction_id,
            "task": stored.prediction.task,
            "label": label,
            "label_before": stored.prediction.label,
            "model": stored.prediction.model,
            "subject_kind": kind,
            "subject_id": stored.subject_id,
        },
    )


def count_by_task(services: Services) -> Mapping[str, int]:
    """Return the number of corrections in force by task."""
    return corrections.count_by_task(services.db)
