"""Viewers of people who are not asking themselves: for whom a job is done, and who sent what is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services


@dataclass(frozen=True)
class Person:
    """A person as a viewer; who is not active may not sign in."""

    viewer: Viewer
    is_active: bool


LOOK_UPS: Registry[Callable[[Services, int], Person]] = Registry()
"""Finds a person by the id of their user; raises NotFound."""


def of_user(services: Services, user_id: int) -> Viewer:
    """What a person may do and see, whether or not they may sign in; raises NotFound."""
    return LOOK_UPS["people"](services, user_id).viewer


def of_active_user(services: Services, user_id: int) -> Viewer | None:
    """What a person may do and see; None when they may not sign in. Raises NotFound."""
    found = LOOK_UPS["people"](services, user_id)
    return found.viewer if found.is_active else None
