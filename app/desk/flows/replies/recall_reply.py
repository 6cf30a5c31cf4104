"""Calling back what an agent wrote: a reply within its ten seconds in the house, a note at any time."""

from __future__ import annotations

from app.answers.store import suggestion_outcomes
from app.core import clock
from app.core.db import Transaction
from app.core.errors import Conflict
from app.core.events import history
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.desk.domain.ticket import OPEN_STATUSES
from app.desk.flows import set_deadlines
from app.desk.store import messages, tickets

WRITTEN = frozenset({"replied", "noted"})


def is_recallable(event: Event) -> bool:
    """Whether what an event wrote has not left the house yet."""
    return event.verb == "noted" or event.after.get("not_before_at", 0) > clock.now_ms()


def recall(tx: Transaction, event: Event, *, viewer: Viewer) -> None:
    """Take a reply or a note out of its thread, and bring back what the ticket was before it.

    Raises Conflict `already_sent` once a reply has left the house.
    """
    now, message_id = clock.now_ms(), event.after["message_id"]
    if not messages.recall(tx, message_id, now=now):
        raise Conflict("already_sent", id=event.id)
    suggestion_outcomes.forget(tx, message_id)
    changes = dict(event.before)
    was = tickets.read(tx, event.noun_id)
    if changes.get("status") in OPEN_STATUSES:
        changes["solved_at"] = None
    changes |= set_deadlines.followed(tx, was, changes, now=now)
    tickets.update(tx, was.id, changes={**changes, "updated_at": now})
    tickets.count_message(tx, was.id, n=-1)
    history.record(
        tx,
        actor=history.of(viewer),
        verb="recalled",
        noun="ticket",
        noun_id=was.id,
        before={key: getattr(was, key) for key in event.before},
        after={**event.before, "message_id": message_id, "kind": event.verb},
        undoes=event.id,
        data={"subject": was.subject, "external_id": was.external_id},
    )
