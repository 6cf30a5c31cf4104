"""Deadlines of a ticket: when first response and resolution are due, and how it stands against them."""

from __future__ import annotations

from dataclasses import replace

from app.core.durations import HOUR_MS
from app.desk.domain.ticket import OPEN_STATUSES, Priority, SlaState, Ticket

HOURS_FACTOR: dict[Priority, float] = {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}
AT_RISK_SHARE = 0.25
"""A deadline is at risk when at most this share of its allowance is left."""


def hours_left(*, due_at: int | None, now: int) -> float | None:
    """Hours until a deadline, negative after it; None where there is none."""
    return None if due_at is None else (due_at - now) / HOUR_MS


def clock(ticket: Ticket, *, now: int) -> SlaState:
    """How the ticket stands against its nearest deadline: the first response until it was given, then the resolution.

    A solved or closed ticket has `met` its resolution or `breached` it; `left_ms` is what was left at that moment. A
    ticket that waits for its customer is `paused` with what was left then, unless it was late before.
    """
    if ticket.status not in OPEN_STATUSES:
        ended_at = ticket.updated_at if ticket.solved_at is None else ticket.solved_at
        return _ended(ticket.resolution_due_at, at=ended_at)
    stands_at = paused_at(ticket)
    state = _nearest(ticket, now=now if stands_at is None else stands_at)
    is_paused = stands_at is not None and state.name != "breached"
    return replace(state, name="paused") if is_paused else state


def paused_at(ticket: Ticket) -> int | None:
    """Since when the clock stands still; None while it runs."""
    if ticket.status != "pending" or not ticket.pauses or ticket.pauses[-1][1] is not None:
        return None
    return ticket.pauses[-1][0]


def _nearest(ticket: Ticket, *, now: int) -> SlaState:
    if ticket.first_responded_at is None and ticket.first_response_due_at is not None:
        due_at, risk_at = ticket.first_response_due_at, ticket.first_risk_at
        state = _running(due_at, risk_at=risk_at, created_at=ticket.created_at, now=now)
        return replace(state, deadline="first_response")
    return _running(ticket.resolution_due_at, risk_at=ticket.resolution_risk_at, created_at=ticket.created_at, now=now)


def _ended(due_at: int | None, *, at: int) -> SlaState:
    if due_at is None:
        return SlaState(name="met", deadline="resolution")
    return SlaState(name="met" if at <= due_at else "breached", left_ms=due_at - at, deadline="resolution")


def _running(due_at: int | None, *, risk_at: int | None, created_at: int, now: int) -> SlaState:
    """`risk_at` is when the deadline comes near in open hours; without it, by the calendar."""
    if due_at is None:
        return SlaState(name="ok", deadline="resolution")
    left_ms = due_at - now
    if left_ms < 0:
        return SlaState(name="breached", left_ms=left_ms, deadline="resolution")
    near_at = due_at - round(AT_RISK_SHARE * (due_at - created_at)) if risk_at is None else risk_at
    return SlaState(name="at_risk" if now >= near_at else "ok", left_ms=left_ms, deadline="resolution")
