"""The order of the inbox: breach risk × urgency, one stored integer that the worker refreshes as time passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.durations import MINUTE_MS
from app.desk.decide.deadlines import clock, paused_at
from app.desk.domain.ticket import OPEN_STATUSES, SlaName, Ticket

SCALE = 1000
LEAST = 0.2
"""The breach risk before any time has passed: a new urgent ticket already stands above old calm ones."""

OVERDUE_MOST = 0.5
URGENCY_OFFSET = 10
"""Added to the urgency so that a ticket of no urgency still rises as its deadline nears."""

STEPS = 100
"""A key is looked at again after a hundredth of the ticket's allowance, a minute at the least."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The stored order key, the state of the SLA beside it, and when time changes them; None: never again."""

    risk: int
    sla: SlaName
    refresh_at: int | None


def place(ticket: Ticket, *, now: int) -> Place:
    """A ticket's place at a time; one that is solved or closed keeps the key it had."""
    state = clock(ticket, now=now)
    if ticket.status not in OPEN_STATUSES:
        return Place(risk=ticket.risk, sla=state.name, refresh_at=None)
    return Place(risk=risk(ticket, now=now), sla=state.name, refresh_at=_next(ticket, now=now))


def risk(ticket: Ticket, *, now: int) -> int:
    """Breach risk × urgency as an integer from 0 to about 165,000; never falls while time passes or urgency rises.

    The breach risk grows with the square of the allowance that is used up, to 1 at the deadline, and goes on to 1.5
    at twice the allowance. The first response's deadline counts until it was given, the resolution's always. A ticket
    that waits for its customer does not rise meanwhile.
    """
    deadlines = [ticket.resolution_due_at]
    if ticket.first_responded_at is None:
        deadlines.append(ticket.first_response_due_at)
    stood_at = paused_at(ticket)
    at = now if stood_at is None else min(now, stood_at)
    factor = max(_breach(due_at, created_at=ticket.created_at, now=at) for due_at in deadlines)
    points = 0 if ticket.urgency is None else ticket.urgency.points
    return round(SCALE * (points + URGENCY_OFFSET) * factor)


def _breach(due_at: int | None, *, created_at: int, now: int) -> float:
    if due_at is None:
        return LEAST
    used = max(now - created_at, 0) / max(due_at - created_at, 1)
    if used <= 1:
        return LEAST + (1 - LEAST) * used * used
    return 1 + OVERDUE_MOST * min(used - 1, 1.0)


def _next(ticket: Ticket, *, now: int) -> int | None:
    return min(_moments(ticket, now=now), default=None)


def _moments(ticket: Ticket, *, now: int) -> Iterator[int]:
    if paused_at(ticket) is not None:
        return
    is_waiting = ticket.first_responded_at is None
    for due_at in (ticket.resolution_due_at, ticket.first_response_due_at if is_waiting else None):
        # At twice the allowance the key has reached its height.
        if due_at is None or now >= 2 * due_at - ticket.created_at:
            continue
        step = now + max((due_at - ticket.created_at) // STEPS, MINUTE_MS)
        yield min(step, due_at + 1) if due_at > now else step
