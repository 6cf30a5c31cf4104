"""The places that a macro can send its ticket to; the area that has them registers a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.core.registry import Registry
from app.core.services import Services


class Destination(Protocol):
    """A place where tickets wait; `intent_task` names the task whose intents they get there."""

    @property
    def slug(self) -> str:
        """The name that a macro's action keeps."""

    @property
    def title(self) -> str:
        """The name that people read."""

    @property
    def intent_task(self) -> str:
        """The task of the intents in force there."""


LISTS: Registry[Callable[[Services], Sequence[Destination]]] = Registry()
"""Functions that list the places of one kind."""


def every(services: Services) -> tuple[Destination, ...]:
    """Return every place that a macro can send its ticket to."""
    return tuple(place for listed in LISTS for place in listed(services))
