"""Calling back a reply within ten seconds, before it is sent, or a note at any time."""

from __future__ import annotations

from dataclasses import replace

from app.answers.store import suggestion_outcomes
from app.core import clock
from app.core.db import Transaction
from app.core.errors import Conflict
from app.core.events import history
from app.core.events.event import Event
from app.core.nouns import Changed
from app.core.permissions import Viewer
from app.desk.domain.ticket import OPEN_STATUSES, Ticket
from app.desk.flows import set_deadlines
from app.desk.store import messages, tickets


def check_recallable(event: Event) -> None:
    """Raise Conflict `already_sent` once the reply of an event was sent; a note never is."""
    if event.verb == "replied" and event.after.get("not_before_at", 0) <= clock.now_ms():
        raise Conflict("already_sent", id=event.id)


def recall(tx: Transaction, event: Event, viewer: Viewer) -> Changed[Ticket]:
    """Take a reply or a note out of its thread, and set the ticket back to its state before it.

    Raises NotFound for a ticket out of the viewer's sight, Conflict `already_sent` once a reply was sent.
    """
    now, message_id = clock.now_ms(), event.after["message_id"]
    if not messages.recall(tx, message_id, now=now):
        raise Conflict("already_sent", id=event.id)
    suggestion_outcomes.forget(tx, message_id)
    was = tickets.get(tx, event.noun_id, viewer=viewer)
    back = replace(was, **event.before, updated_at=now)
    if "status" in event.before and back.status in OPEN_STATUSES:
        back = replace(back, solved_at=None)
    ticket = tickets.write(tx, was, set_deadlines.follow(tx, was, back, now=now))
    tickets.count_message(tx, was.id, n=-1)
    inverse = history.record(
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
    return Changed(row=ticket, event=inverse)
