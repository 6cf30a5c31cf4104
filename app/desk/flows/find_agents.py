"""The people who hold tickets, and the names of people in histories and lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.core.permissions import PERMISSIONS, User
from app.core.services import Services
from app.people.store import users


def every(services: Services) -> tuple[User, ...]:
    """Return the active people who may change tickets, by name."""
    found = users.every(services.db, is_active=True)
    return tuple(user for user in found if {"tickets:write", "*:*"} & PERMISSIONS[user.role])


def names(services: Services, user_ids: Iterable[int]) -> Mapping[int, str]:
    """Return the names of people by id."""
    return users.names(services.db, user_ids)
