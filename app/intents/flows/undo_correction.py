"""Taking a correction back: what was believed before it is in force again, and training no longer learns from it."""

from __future__ import annotations

from app.core import clock
from app.core.db import Transaction
from app.core.errors import Conflict
from app.core.events import event_log, history, undo_rules
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.services import Services
from app.intents.flows.correct_prediction import SUBJECTS
from app.intents.store import corrections


def undo(services: Services, event_id: int, *, viewer: Viewer) -> Event:
    """Take the correction that an event tells of back; returns the inverse event.

    Raises NotFound, Conflict `cannot_undo` (it tells of none), `already_undone` or `changed_since`.
    """
    with services.db.transaction() as tx:
        return undone(tx, event_log.get(tx, event_id), viewer=viewer)


def undone(tx: Transaction, event: Event, *, viewer: Viewer) -> Event:
    """Take a correction back inside an open transaction; raises as `undo` does."""
    if event.verb != "corrected":
        raise Conflict("cannot_undo", id=event.id)
    subject = SUBJECTS[event.after["subject_kind"]]
    subject.check_sight(tx, event.noun_id, viewer=undo_rules.sight(event, viewer=viewer))
    later = event_log.later(tx, event.noun, [event.noun_id], than=event.id).get(event.noun_id, ())
    undo_rules.check_not_undone(event, later=later)
    undo_rules.check_unchanged(event, later=later)
    return _taken_back(tx, event, viewer=viewer)


def _taken_back(tx: Transaction, event: Event, *, viewer: Viewer) -> Event:
    after = event.after
    corrections.mark_undone(tx, after["correction_id"], at=clock.now_ms())
    subject = SUBJECTS[after["subject_kind"]]
    was = subject.write(tx, after["subject_id"], noun_id=event.noun_id, columns=event.before)
    return history.record(
        tx,
        actor=history.of(viewer),
        verb="uncorrected",
        noun=event.noun,
        noun_id=event.noun_id,
        before=was,
        after={**event.before, "task": after["task"], "label": after["label_before"]},
        undoes=event.id,
    )
