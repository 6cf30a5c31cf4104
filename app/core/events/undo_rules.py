"""When an event may be taken back: not twice, and not once something later stands on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.core.errors import Conflict
from app.core.events.event import Event
from app.core.permissions import Viewer


def sight(event: Event, *, viewer: Viewer) -> Viewer:
    """The viewer as who takes an event back: who moved a ticket out of their own sight can still do that."""
    is_own = (event.actor_kind, event.actor_id) == (viewer.actor_kind, viewer.actor_id)
    return replace(viewer, queue_ids=None) if is_own else viewer


def check_not_undone(event: Event, *, later: Sequence[Event]) -> None:
    """Raise Conflict `already_undone` where a later event has taken this one back."""
    if any(one.undoes == event.id for one in later):
        raise Conflict("already_undone", id=event.id)


def check_unchanged(event: Event, *, later: Sequence[Event]) -> None:
    """Raise Conflict `changed_since` where a later event changed what an undo would bring back."""
    undone = {one.undoes for one in later}
    # A later event and its own undo cancel out; what is left and touches the same things stands in the way.
    standing = [one for one in later if one.id not in undone and one.undoes not in {other.id for other in later}]
    for one in standing:
        is_same_thing = one.after.get("subject_id") == event.after.get("subject_id")
        if set(event.before) & set(one.after) and (is_same_thing or event.noun == "ticket"):
            raise Conflict("changed_since", id=event.id, by=one.id)
