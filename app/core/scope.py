"""The viewer's scope as a condition of a query: which queues and feeds are in sight."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app.core.permissions import Viewer

Condition = tuple[str, list[Any]]


def of_queues(viewer: Viewer | None, *, column: str = "queue_id") -> Condition:
    """Condition and parameters that keep rows to the viewer's queues; empty when all are in sight."""
    return _within(None if viewer is None else viewer.queue_ids, column=column)


def of_feeds(viewer: Viewer | None, *, column: str = "feed_id") -> Condition:
    """Condition and parameters that keep rows to the viewer's feeds; empty when all are in sight."""
    return _within(None if viewer is None else viewer.feed_ids, column=column)


def listed(values: Iterable[int]) -> str:
    """Ids as the JSON list that `json_each` reads: one parameter, however many there are."""
    return json.dumps(sorted(values))


def _within(ids: frozenset[int] | None, *, column: str) -> Condition:
    if ids is None:
        return "", []
    return " ".join((column, "IN (SELECT value FROM json_each(?))")), [listed(ids)]


def joined(conditions: list[Condition]) -> Condition:
    """A WHERE clause of all conditions that say something, with their parameters in order; empty when none does."""
    kept = [(text, params) for text, params in conditions if text]
    if not kept:
        return "", []
    return "WHERE " + " AND ".join(text for text, _ in kept), [value for _, params in kept for value in params]
