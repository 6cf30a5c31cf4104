"""Taking back what was done to a ticket, and corrections of anything, by the inverse of their event."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.db import Transaction
from app.core.errors import Conflict
from app.core.events import event_log, undo_rules
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.flows.act_on_ticket import EDITABLE, edited
from app.desk.flows.replies.recall_reply import WRITTEN, is_recallable, recall
from app.desk.store import tickets
from app.intents.flows import undo_correction

NEVER_UNDONE = frozenset({"triaged", "updated", "message_received", "recalled", "uncorrected"})


def is_undoable(event: Event) -> bool:
    """Whether `undo` knows the inverse of an event: corrections, edits of a ticket, replies not yet sent, notes."""
    if event.verb == "corrected":
        return True
    if event.noun == "ticket" and event.verb in WRITTEN:
        return is_recallable(event)
    is_edit = event.noun == "ticket" and event.verb not in NEVER_UNDONE
    return is_edit and bool(event.before) and set(event.before) <= EDITABLE


def undo(services: Services, event_id: int, *, viewer: Viewer) -> Event:
    """Take an event back by its inverse; returns the inverse event.

    Raises Conflict `cannot_undo` (there is no inverse), `already_undone`, `already_sent` (a reply that has left the
    house), or `changed_since` (`by` a later event).
    """
    with services.db.transaction() as tx:
        return undone(tx, event_id, viewer=viewer)


def undone(tx: Transaction, event_id: int, *, viewer: Viewer) -> Event:
    """Take an event back inside an open transaction; raises as `undo` does."""
    event = event_log.get(tx, event_id)
    if event.noun != "ticket" or event.verb == "corrected":
        return undo_correction.undone(tx, event, viewer=viewer)
    sight = undo_rules.sight(event, viewer=viewer)
    tickets.get(tx, event.noun_id, viewer=sight)
    check_undo(event, later=event_log.later(tx, event.noun, [event.noun_id], than=event.id).get(event.noun_id, ()))
    if event.verb in WRITTEN:
        recall(tx, event, viewer=viewer)
    else:
        edited(tx, event.noun_id, viewer=sight, changes=event.before, undoes=event.id)
    inverse = event_log.undone_by(tx, event_id)
    if inverse is None:
        raise Conflict("cannot_undo", id=event.id)
    return event_log.get(tx, inverse)


def check_undo(event: Event, *, later: Sequence[Event]) -> None:
    """Raise Conflict unless an event can be taken back, after which `later` ones happened to the same thing."""
    undo_rules.check_not_undone(event, later=later)
    if event.verb == "replied" and not is_recallable(event):
        raise Conflict("already_sent", id=event.id)
    if not is_undoable(event):
        raise Conflict("cannot_undo", id=event.id)
    undo_rules.check_unchanged(event, later=later)
