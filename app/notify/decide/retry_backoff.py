"""Back-off: when a webhook, a bulletin or a mail that was not delivered is tried again."""

from __future__ import annotations

from app.core.durations import HOUR_MS, MINUTE_MS, SECOND_MS

SCHEDULE_MS: tuple[int, ...] = (
    0,
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
)
"""The wait before each attempt, the first at once; after the last one the delivery has failed."""

URGENT_MS: tuple[int, ...] = (0, 5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS)
URGENT_AGAIN_MS = 5 * MINUTE_MS
URGENT_FOR = len(URGENT_MS) + 24 * HOUR_MS // URGENT_AGAIN_MS
"""Alerts are tried more often, for a day: a receiver that was down for an hour gets them within five minutes."""

JITTER_SHARE = 0.1
LONGEST_MS = 24 * HOUR_MS


def retry_at(
    n_attempts: int, *, now: int, jitter: float, retry_after_ms: int | None = None, is_urgent: bool = False
) -> int | None:
    """Return when to try again after `n_attempts` attempts (ms UTC), or None once the schedule is used up.

    `jitter` from 0 to 1 lengthens the wait by up to a tenth, so that receivers that are back are not all called at
    once. A longer wait that the receiver asked for in `Retry-After` is kept, up to a day.
    """
    if n_attempts >= (URGENT_FOR if is_urgent else len(SCHEDULE_MS)):
        return None
    schedule = URGENT_MS if is_urgent else SCHEDULE_MS
    planned_ms = schedule[n_attempts] if n_attempts < len(schedule) else URGENT_AGAIN_MS
    wait_ms = max(planned_ms, min(retry_after_ms or 0, LONGEST_MS))
    return now + wait_ms + round(wait_ms * JITTER_SHARE * jitter)
