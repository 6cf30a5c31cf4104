"""Registries: what an area needs of areas above it is registered there by name, in the composition root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind by name, in the order in which they were first registered."""

    def __init__(self) -> None:
        self._things: dict[str, T] = {}

    def register(self, name: str, thing: T) -> None:
        """Keep a thing under a name; registering the name again replaces the thing."""
        self._things[name] = thing

    def __getitem__(self, name: str) -> T:
        """The thing with this name; raises KeyError."""
        return self._things[name]

    def find(self, name: str) -> T | None:
        """The thing with this name, if one is registered."""
        return self._things.get(name)

    def __contains__(self, name: object) -> bool:
        """Whether a name is registered."""
        return name in self._things

    def __iter__(self) -> Iterator[T]:
        """The things, in order."""
        return iter(tuple(self._things.values()))
