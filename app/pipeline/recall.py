"""Calling back what an agent wrote: a reply within its ten seconds in the house, a note at any time."""

from __future__ import annotations

from app import clock
from app.domain.event import Event
from app.domain.people import Viewer
from app.domain.ticket import OPEN_STATUSES
from app.errors import Conflict
from app.pipeline import clocks, history
from app.store import messages, outcomes, tickets
from app.store.db import Transaction

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
    outcomes.forget(tx, message_id)
    changes = dict(event.before)
    was = tickets.read(tx, event.noun_id)
    if changes.get("status") in OPEN_STATUSES:
        changes["solved_at"] = None
    changes |= clocks.followed(tx, was, changes, now=now)
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
