"""The viewer's scope as the condition of a query: the queues and feeds in sight."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app.core.permissions import Viewer

Condition = tuple[str, list[Any]]


def of_queues(viewer: Viewer | None, *, column: str = "queue_id") -> Condition:
    """Return the condition for rows of the viewer's queues; empty where all are in sight."""
    return _within(None if viewer is None else viewer.queue_ids, column=column)


def of_feeds(viewer: Viewer | None, *, column: str = "feed_id") -> Condition:
    """Return the condition for rows of the viewer's feeds; empty where all are in sight."""
    return _within(None if viewer is None else viewer.feed_ids, column=column)


def listed(values: Iterable[int]) -> str:
    """Return ids as the JSON list that `json_each` reads: one parameter for any number of ids."""
    return json.dumps(sorted(values))


def _within(ids: frozenset[int] | None, *, column: str) -> Condition:
    if ids is None:
        return "", []
    return " ".join((column, "IN (SELECT value FROM json_each(?))")), [listed(ids)]


def joined(conditions: list[Condition]) -> Condition:
    """Return the WHERE clause of all non-empty conditions, with their parameters; empty without one."""
    kept = [(text, params) for text, params in conditions if text]
    if not kept:
        return "", []
    return "WHERE " + " AND ".join(text for text, _ in kept), [value for _, params in kept for value in params]
