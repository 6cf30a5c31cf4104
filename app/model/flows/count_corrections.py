"""The number of corrections of predictions, from the area that keeps corrections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from app.core.registry import Registry
from app.core.services import Services

COUNTS: Registry[Callable[[Services], Mapping[str, int]]] = Registry()
"""Counts the corrections in force by task."""


def by_task(services: Services) -> dict[str, int]:
    """Return the number of corrections in force by task, in the order of their names."""
    found = Counter[str]()
    for count in COUNTS:
        found.update(count(services))
    return dict(sorted(found.items()))
