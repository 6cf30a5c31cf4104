"""SLA policies: the times that are promised to customers, and the hours in which the clock runs."""

from __future__ import annotations

from dataclasses import dataclass

Opening = tuple[int, int, int]
"""Weekday (Monday 0), and the minutes of the day from which to which somebody is there (to 1440)."""

Pause = tuple[int, int | None]
"""When a ticket waited for its customer, in milliseconds UTC; None while it still does."""


@dataclass(frozen=True, kw_only=True)
class SlaPolicy:
    """The time allowed for a normal ticket, counted while the desk is open; without `hours` it is open always.

    `hours` are in the wall-clock time of `zone`; on `holidays` (ISO dates there) the desk is closed. The default
    policy holds for queues that name none.
    """

    id: int = 0
    name: str = ""
    zone: str = "UTC"
    hours: tuple[Opening, ...] = ()
    holidays: tuple[str, ...] = ()
    first_response_ms: int = 8 * 3_600_000
    resolution_ms: int = 48 * 3_600_000
    is_default: bool = False
    version: int = 1
