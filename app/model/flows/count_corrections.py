"""How often people corrected what models said: told by the area that keeps corrections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from app.core.registry import Registry
from app.core.services import Services

COUNTS: Registry[Callable[[Services], Mapping[str, int]]] = Registry()
"""Counts the corrections in force by task."""


def by_task(services: Services) -> dict[str, int]:
    """How many corrections of each task are in force, tasks by name."""
    found = Counter[str]()
    for count in COUNTS:
        found.update(count(services))
    return dict(sorted(found.items()))
