"""Viewers of people who make no request themselves: the person for whom a job is done, the sender of an item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services


@dataclass(frozen=True)
class Person:
    """A person as a viewer; only an active one may sign in."""

    viewer: Viewer
    is_active: bool


LOOK_UPS: Registry[Callable[[Services, int], Person]] = Registry()
"""`people` finds a person by the id of their user; raises NotFound."""


def of_user(services: Services, user_id: int) -> Viewer:
    """Return the viewer of a person, active or not; raises NotFound."""
    return LOOK_UPS["people"](services, user_id).viewer


def of_active_user(services: Services, user_id: int) -> Viewer | None:
    """Return the viewer of an active person, None for an inactive one; raises NotFound."""
    found = LOOK_UPS["people"](services, user_id)
    return found.viewer if found.is_active else None
