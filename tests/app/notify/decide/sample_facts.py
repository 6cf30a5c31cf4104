"""The facts of an alert, for the tests of what is written of it."""

from __future__ import annotations

from typing import Any

from app.core.durations import DAY_MS, HOUR_MS
from app.notify.domain.alert_facts import AlertFacts

NOW = 1_770_001_200_000
OBSERVED = {
    "n_posts": 80,
    "n_stories": 48,
    "n_scored": 46,
    "n_negative": 21,
    "share": 21 / 46,
    "baseline_share": 0.22,
    "baseline_n": 400,
    "expected_negative": 10.12,
    "threshold_share": 0.4,
    "window_ms": DAY_MS,
}


def facts(**changes: Any) -> AlertFacts:
    """An alert on Larkspur that fires."""
    values: dict[str, Any] = {
        "alert_id": 3,
        "rule_id": 4,
        "rule": "Bad news",
        "subject_kind": "entity",
        "subject_id": "1",
        "subject": "Larkspur",
        "state": "firing",
        "reason": "fired",
        "severity": "warning",
        "started_at": NOW - HOUR_MS,
        "firing_at": NOW,
        "observed": OBSERVED,
        "model": "bellwether@1.0",
        "stories": ("Lamps recalled", "b", "c", "d", "e"),
    }
    return AlertFacts(**{**values, **changes})


OVER: dict[str, Any] = {"state": "resolved", "resolved_at": NOW + 3 * DAY_MS}
