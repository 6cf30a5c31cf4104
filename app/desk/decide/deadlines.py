"""The SLA of a ticket: when its answers are due in business time, how it stands, and how near it is to a breach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.core.durations import HOUR_MS, MINUTE_MS
from app.desk.domain.sla_policy import Opening, Pause, SlaPolicy
from app.desk.domain.ticket import OPEN_STATUSES, Priority, SlaName, SlaState, Status, Ticket

HOURS_FACTOR: dict[Priority, float] = {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}
AT_RISK_SHARE = 0.25
"""A deadline is at risk when at most this share of its allowance is left."""


FARTHEST_DAYS = 800
FOREVER = 1 << 62

SCALE = 1000
LEAST = 0.2
"""The breach risk before any time has passed: a new urgent ticket already stands above old calm ones."""

OVERDUE_MOST = 0.5
URGENCY_OFFSET = 10
"""Added to the urgency so that a ticket of no urgency still rises as its deadline nears."""

STEPS = 100
"""A key is looked at again after a hundredth of the ticket's allowance, a minute at the least."""


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
    """The state of the nearest deadline: that of the first response until it was given, then of the resolution.

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
