"""The SLA clocks of a ticket: set by its queue's policy and its priority, paused while the customer is asked."""

from __future__ import annotations

from dataclasses import replace

from app.core.db import Database, Reads
from app.desk.decide import deadlines
from app.desk.domain.ticket import OPEN_STATUSES, Ticket
from app.desk.store import queues


def start(db: Reads, ticket: Ticket, *, since: int) -> Ticket:
    """Return a ticket with the deadlines that its queue's policy sets, counted from a time."""
    return deadlines.with_clocks(ticket, policy=queues.policy_of(db, ticket.queue_id), since=since)


def follow(db: Reads, was: Ticket, ticket: Ticket, *, now: int) -> Ticket:
    """Return a ticket with the deadlines that follow from its new status, priority or queue.

    A first response that was given, and a ticket that is solved, keep the deadlines they were measured by.
    """
    paused = replace(ticket, pauses=deadlines.pauses(was.pauses, status=ticket.status, now=now))
    stays = (was.pauses, was.priority, was.queue_id) == (paused.pauses, paused.priority, paused.queue_id)
    if stays or ticket.status not in OPEN_STATUSES:
        return paused
    answered_before = replace(paused, first_responded_at=was.first_responded_at)
    clocks = start(db, answered_before, since=was.created_at)
    return replace(clocks, first_responded_at=ticket.first_responded_at)


def install_default(db: Database, *, first_response_ms: int, resolution_ms: int) -> None:
    """Make the settings' hours the policy of queues that name none, until somebody edits that policy."""
    known = queues.default_policy(db)
    values = {"first_response_ms": first_response_ms, "resolution_ms": resolution_ms}
    if known is None:
        with db.transaction() as tx:
            if queues.default_policy(tx) is None:
                queues.add_default_policy(tx, **values)
    elif known.version == 1 and values != {name: getattr(known, name) for name in values}:
        with db.transaction() as tx:
            # Written without counting the version: it is still the settings that speak.
            queues.set_default_hours(tx, known.id, **values)
