"""Changes of settings that can be taken back: the area that knows how registers it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import Conflict
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services


class Undo(Protocol):
    """Does the inverse of an event; raises Conflict `cannot_undo` or `changed_since`, and what the inverse raises."""

    def __call__(self, services: Services, event_id: int, /, *, viewer: Viewer) -> None:
        """Take the event back."""


@dataclass(frozen=True, kw_only=True)
class Inverses:
    """How changes of some settings are taken back."""

    is_undoable: Callable[[Event], bool]
    undo: Undo


INVERSES: Registry[Inverses] = Registry()
"""Asked in order; `settings` is what administrators keep."""


def is_undoable(event: Event) -> bool:
    """Whether a change of a setting can be taken back."""
    return any(one.is_undoable(event) for one in INVERSES)


def undo(services: Services, event: Event, *, viewer: Viewer) -> None:
    """Take a change of a setting back; raises Conflict where that cannot be done, and what the inverse raises."""
    found = next((one for one in INVERSES if one.is_undoable(event)), None)
    if found is None:
        raise Conflict("cannot_undo", id=event.id)
    found.undo(services, event.id, viewer=viewer)
