"""Back-off: how long each attempt waits, and when there is none any more."""

from __future__ import annotations

import pytest

from app.core.durations import HOUR_MS
from app.notify.decide.retry_backoff import SCHEDULE_MS, retry_at

NOW = 1_770_001_200_000


@pytest.mark.parametrize(
    ("n_attempts", "wait_ms"),
    [(0, 0), (1, 5_000), (2, 300_000), (3, 1_800_000), (4, 2 * HOUR_MS), (8, 20 * HOUR_MS), (9, 24 * HOUR_MS)],
)
def test_the_schedule(n_attempts: int, wait_ms: int) -> None:
    assert retry_at(n_attempts, now=NOW, jitter=0.0) == NOW + wait_ms
    assert retry_at(n_attempts, now=NOW, jitter=1.0) == NOW + wait_ms + wait_ms // 10


def test_after_the_last_attempt_it_has_failed() -> None:
    assert retry_at(len(SCHEDULE_MS), now=NOW, jitter=0.0) is None
    assert retry_at(99, now=NOW, jitter=0.0, retry_after_ms=5) is None


@pytest.mark.parametrize(
    ("retry_after_ms", "wait_ms"), [(None, 5_000), (1_000, 5_000), (60_000, 60_000), (99 * HOUR_MS, 24 * HOUR_MS)]
)
def test_what_the_receiver_asks_for_is_waited_for(retry_after_ms: int | None, wait_ms: int) -> None:
    assert retry_at(1, now=NOW, jitter=0.0, retry_after_ms=retry_after_ms) == NOW + wait_ms
