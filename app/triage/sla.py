"""Deadlines of a ticket: when first response and resolution are due, and how it stands against them."""

from __future__ import annotations

from app.domain.series import HOUR_MS
from app.domain.ticket import OPEN_STATUSES, Priority, SlaState, Ticket

HOURS_FACTOR: dict[Priority, float] = {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}
AT_RISK_SHARE = 0.25
"""A deadline is at risk when at most this share of its allowance is left."""


def hours_for(priority: Priority, *, normal_hours: float) -> float:
    """Hours allowed for a priority, from the hours of a normal ticket: low ×2, high ×½, urgent ×¼."""
    return normal_hours * HOURS_FACTOR[priority]


def due(*, created_at: int, hours: float) -> int:
    """The deadline in milliseconds UTC, `hours` calendar hours after `created_at`."""
    return created_at + round(hours * HOUR_MS)


def hours_left(*, due_at: int | None, now: int) -> float | None:
    """Hours until a deadline, negative after it; None where there is none."""
    return None if due_at is None else (due_at - now) / HOUR_MS


def clock(ticket: Ticket, *, now: int) -> SlaState:
    """How the ticket stands against its nearest deadline: the first response until it was given, then the resolution.

    A solved or closed ticket has `met` its resolution or `breached` it; `left_ms` is what was left at that moment.
    """
    if ticket.status not in OPEN_STATUSES:
        ended_at = ticket.updated_at if ticket.solved_at is None else ticket.solved_at
        return _ended(ticket.resolution_due_at, at=ended_at)
    if ticket.first_responded_at is None and ticket.first_response_due_at is not None:
        state = _running(ticket.first_response_due_at, created_at=ticket.created_at, now=now)
        return SlaState(name=state.name, left_ms=state.left_ms, deadline="first_response")
    return _running(ticket.resolution_due_at, created_at=ticket.created_at, now=now)


def _ended(due_at: int | None, *, at: int) -> SlaState:
    if due_at is None:
        return SlaState(name="met", deadline="resolution")
    return SlaState(name="met" if at <= due_at else "breached", left_ms=due_at - at, deadline="resolution")


def _running(due_at: int | None, *, created_at: int, now: int) -> SlaState:
    if due_at is None:
        return SlaState(name="ok", deadline="resolution")
    left_ms = due_at - now
    if left_ms < 0:
        return SlaState(name="breached", left_ms=left_ms, deadline="resolution")
    is_near = left_ms <= AT_RISK_SHARE * (due_at - created_at)
    return SlaState(name="at_risk" if is_near else "ok", left_ms=left_ms, deadline="resolution")
