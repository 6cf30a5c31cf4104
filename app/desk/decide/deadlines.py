"""Deadlines of a ticket: when its answers are due in business time, and how it stands against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.core.durations import HOUR_MS
from app.desk.domain.sla_policy import Opening, Pause, SlaPolicy
from app.desk.domain.ticket import OPEN_STATUSES, Priority, SlaState, Status, Ticket

HOURS_FACTOR: dict[Priority, float] = {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}
AT_RISK_SHARE = 0.25
"""A deadline is at risk when at most this share of its allowance is left."""


FARTHEST_DAYS = 800
FOREVER = 1 << 62


def with_clocks(ticket: Ticket, *, policy: SlaPolicy, since: int) -> Ticket:
    """The ticket with the deadlines of its priority, counted `since` a time, and when each comes near.

    A first response that was given keeps the deadline it was measured by.
    """

    def moment(allowance_ms: int, *, share: float = 1.0) -> int:
        whole = round(allowance_ms * HOURS_FACTOR[ticket.priority])
        return due(since, allowance_ms=round(whole * share), policy=policy, pauses=ticket.pauses)

    if ticket.first_responded_at is None:
        ticket = replace(
            ticket,
            first_response_due_at=moment(policy.first_response_ms),
            first_risk_at=moment(policy.first_response_ms, share=1 - AT_RISK_SHARE),
        )
    return replace(
        ticket,
        resolution_due_at=moment(policy.resolution_ms),
        resolution_risk_at=moment(policy.resolution_ms, share=1 - AT_RISK_SHARE),
    )


def pauses(before: tuple[Pause, ...], *, status: Status, now: int) -> tuple[Pause, ...]:
    """The pauses of a ticket that has this status from now on: it stands still while its customer is asked."""
    is_paused = bool(before) and before[-1][1] is None
    if status == "pending" and not is_paused:
        return (*before, (now, None))
    if status != "pending" and is_paused:
        return (*before[:-1], (before[-1][0], now))
    return before


def due(start: int, *, allowance_ms: int, policy: SlaPolicy, pauses: Sequence[Pause] = ()) -> int:
    """The moment at which `allowance_ms` of open time has passed since `start`, in milliseconds UTC.

    A pause that has not ended is left out: the moment is the one that holds if it ended now. Openings follow the wall
    clock, so the day of a clock change has its real length. A desk that never opens counts calendar time.
    """
    left = allowance_ms
    ended = [(since, until) for since, until in pauses if until is not None]
    for since, until in _stretches(start, policy=policy, pauses=ended):
        if until - since >= left:
            return since + left
        left -= until - since
    return start + allowance_ms


def _stretches(start: int, *, policy: SlaPolicy, pauses: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches from `start` on in which the clock runs."""
    for since, until in _open(start, policy=policy):
        at = since
        for pause_since, pause_until in sorted(pauses):
            if pause_until <= at or pause_since >= until:
                continue
            if pause_since > at:
                yield at, pause_since
            at = pause_until
        if at < until:
            yield at, until


def _open(start: int, *, policy: SlaPolicy) -> Iterator[tuple[int, int]]:
    """Stretches from `start` on in which the desk is open."""
    if not policy.hours:
        yield start, FOREVER
        return
    zone = ZoneInfo(policy.zone)
    first = datetime.fromtimestamp(start / 1000, UTC).astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(FARTHEST_DAYS)):
        for since, until in _opened(policy.hours, policy.holidays, day=day, zone=zone):
            if until > start:
                yield max(since, start), until


@lru_cache(maxsize=4096)
def _opened(
    hours: tuple[Opening, ...], holidays: tuple[str, ...], *, day: date, zone: ZoneInfo
) -> tuple[tuple[int, int], ...]:
    """When the desk is open on one day: asked for the same few days by every ticket that comes in."""
    if day.isoformat() in holidays:
        return ()
    return tuple(
        (_moment(day, opens, zone=zone), _moment(day, closes, zone=zone))
        for weekday, opens, closes in sorted(hours)
        if weekday == day.weekday()
    )


def _moment(day: date, minute: int, *, zone: ZoneInfo) -> int:
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return round(wall.replace(tzinfo=zone).timestamp() * 1000)


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
