"""Registries: an area declares what it needs of areas above it, and the composition root registers that by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind by name, in the order in which they were first registered."""

    def __init__(self) -> None:
        self._things: dict[str, T] = {}

    def register(self, name: str, thing: T) -> None:
        """Keep a thing under a name, in place of an earlier one."""
        self._things[name] = thing

    def __getitem__(self, name: str) -> T:
        """Return the thing with this name; raises KeyError."""
        return self._things[name]

    def find(self, name: str) -> T | None:
        """Return the thing with this name; None without one."""
        return self._things.get(name)

    def __contains__(self, name: object) -> bool:
        """Return True for a registered name."""
        return name in self._things

    def __iter__(self) -> Iterator[T]:
        """Iterate over the things, in order."""
        return iter(tuple(self._things.values()))
