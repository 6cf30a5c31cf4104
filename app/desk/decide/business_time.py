"""Business time: when an allowance is used up, counted only while the desk is open and the ticket is not paused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.desk.domain.sla_policy import Opening, Pause, SlaPolicy

FARTHEST_DAYS = 800
FOREVER = 1 << 62


def due(start: int, *, allowance_ms: int, policy: SlaPolicy, pauses: Sequence[Pause] = ()) -> int:
    """The moment at which `allowance_ms` of open time has passed since `start`, in milliseconds UTC.

    A pause that has not ended is left out: the moment is the one that holds if it ended now. Openings follow the wall
    clock, so the day of a clock change has its real length. A desk that never opens counts calendar time.
    """
    left = allowance_ms
    ended = [(since, until) for since, until in pauses if until is not None]
    for since, until in _running(start, policy=policy, pauses=ended):
        if until - since >= left:
            return since + left
        left -= until - since
    return start + allowance_ms


def _running(start: int, *, policy: SlaPolicy, pauses: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
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
