"""The inbox's sort key: breach risk × urgency, one stored integer that the worker refreshes."""

from __future__ import annotations

SCALE = 1000
LEAST = 0.2
"""The breach risk before any time has passed: a new urgent ticket already stands above old calm ones."""

OVERDUE_MOST = 0.5
URGENCY_OFFSET = 10
"""Added to the urgency so that a ticket of no urgency still rises as its deadline nears."""


def risk(
    *,
    urgency: int,
    first_response_due_at: int | None,
    resolution_due_at: int | None,
    first_responded_at: int | None,
    created_at: int,
    now: int,
) -> int:
    """Breach risk × urgency as an integer from 0 to about 165,000; never falls while time passes or urgency rises.

    The breach risk grows with the square of the allowance that is used up, to 1 at the deadline, and goes on to 1.5
    at twice the allowance. The first response's deadline counts until it was given, the resolution's always.
    """
    deadlines = [resolution_due_at]
    if first_responded_at is None:
        deadlines.append(first_response_due_at)
    factor = max((_breach(due_at, created_at=created_at, now=now) for due_at in deadlines), default=LEAST)
    return round(SCALE * (urgency + URGENCY_OFFSET) * factor)


def _breach(due_at: int | None, *, created_at: int, now: int) -> float:
    if due_at is None:
        return LEAST
    used = max(now - created_at, 0) / max(due_at - created_at, 1)
    if used <= 1:
        return LEAST + (1 - LEAST) * used * used
    return 1 + OVERDUE_MOST * min(used - 1, 1.0)
