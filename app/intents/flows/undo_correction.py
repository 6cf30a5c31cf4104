"""Undo of a correction: the earlier label is in force again, and training no longer learns from it."""

from __future__ import annotations

from app.core import clock
from app.core.db import Transaction
from app.core.events import history
from app.core.events.event import Event
from app.core.nouns import Changed, Inverse
from app.core.permissions import Viewer
from app.core.prediction import Correction
from app.intents.flows.correct_prediction import SUBJECTS
from app.intents.store import corrections


def undo_correction(tx: Transaction, event: Event, viewer: Viewer) -> Changed[Correction]:
    """Take the correction of an event back; `changes.undo_in` has checked that its thing is in sight."""
    after = event.after
    subject = SUBJECTS[after["subject_kind"]]
    corrections.mark_undone(tx, after["correction_id"], at=clock.now_ms())
    was = subject.write(tx, after["subject_id"], noun_id=event.noun_id, columns=event.before)
    inverse = history.record(
        tx,
        actor=history.of(viewer),
        verb="uncorrected",
        noun=event.noun,
        noun_id=event.noun_id,
        before=was,
        after={**event.before, "task": after["task"], "label": after["label_before"]},
        undoes=event.id,
    )
    return Changed(row=corrections.get(tx, after["correction_id"]), event=inverse)


UNDO_CORRECTION = Inverse(undo=undo_correction)
