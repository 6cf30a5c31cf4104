"""Accounts: the first administrator, people who are added, their passwords and sign-in links."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from werkzeug.security import generate_password_hash

from app.core import changes, clock
from app.core.db import Transaction
from app.core.durations import MINUTE_MS
from app.core.errors import Conflict, FieldError, InputError
from app.core.events import history
from app.core.nouns import Fields, Noun
from app.core.permissions import PERMISSIONS, SYSTEM, User, UserRole, Viewer, digest
from app.core.registry import Registry
from app.core.services import Services
from app.people.flows import keep_sessions
from app.people.store import sign_in_links, users

SHORTEST_PASSWORD = 10

FURNISHINGS: Registry[Callable[[Transaction, Services], object]] = Registry()
"""Each adds one thing that a new installation needs, unless it is there."""


class UserNoun(Noun[User]):
    """People who sign in; none is removed, so that the history keeps the name."""

    name = "user"
    permission = "settings:write"
    fields = frozenset({"name", "email", "role", "locale", "zone", "is_active"})
    unique = "email"
    titles = ("name", "role")

    def make(self, row: sqlite3.Row) -> User:
        """A person out of their row."""
        return users.as_user(row)

    def check(self, tx: Transaction, given: Fields, was: User | None) -> Fields:
        """Return the fields, the address without blanks; raises InputError `unknown_role`, Conflict `last_admin`."""
        _check_role(given.get("role", "agent"))
        if was is not None:
            _check_admin_remains(tx, was, given=given)
        return {name: value.strip() if name == "email" else value for name, value in given.items()}

    def follow(self, tx: Transaction, was: User | None, row: User | None, viewer: Viewer) -> None:
        """End the sessions of a person who may no longer sign in."""
        if row is not None and not row.is_active:
            keep_sessions.shut_out(tx, row.id)


USER = UserNoun()
_SETUP = replace(SYSTEM, actor_id="setup")


def needs_first_admin(services: Services) -> bool:
    """Return True as long as nobody has an account."""
    return users.count(services.db) == 0


def first_admin(services: Services, *, name: str, email: str, password: str, locale: str = "en") -> User:
    """Add the first account and what a new installation needs; raises Conflict `admin_exists`."""
    hashed = _hashed_password(password)
    with services.db.transaction() as tx:
        if users.count(tx):
            raise Conflict("admin_exists")
        given = {"name": name, "email": email, "role": "admin", "locale": locale}
        made = changes.add(tx, USER, given, viewer=_SETUP, columns={"password_hash": hashed})
        _furnish(tx, services)
        return made.row


def furnish(services: Services) -> None:
    """Add what a new installation needs and does not have."""
    with services.db.transaction() as tx:
        _furnish(tx, services)


def _furnish(tx: Transaction, services: Services) -> None:
    for furnishing in FURNISHINGS:
        furnishing(tx, services)


def add_user(
    services: Services,
    *,
    viewer: Viewer,
    name: str,
    email: str,
    role: UserRole,
    password: str | None = None,
    locale: str = "en",
    zone: str = "UTC",
) -> User:
    """Add a person, who may sign in with a link until they have a password."""
    columns = {} if password is None else {"password_hash": _hashed_password(password)}
    given = {"name": name, "email": email, "role": role, "locale": locale, "zone": zone}
    return changes.add(services.db, USER, given, viewer=viewer, columns=columns).row


def set_password(services: Services, user_id: int, *, password: str, viewer: Viewer) -> User:
    """Set a person's password and end their sessions and links; raises InputError `password_too_short`, NotFound."""
    hashed = _hashed_password(password)
    with services.db.transaction() as tx:
        tx.change("user", user_id, changes={"password_hash": hashed})
        keep_sessions.shut_out(tx, user_id)
        history.record(tx, actor=history.of(viewer), verb="password_set", noun="user", noun_id=user_id)
        return users.get(tx, user_id)


def sign_in_link(services: Services, user_id: int, *, minutes: int = 30) -> str:
    """Make a link that signs a person in once; returns its secret, of which only the SHA-256 is kept."""
    secret, now = secrets.token_urlsafe(32), clock.now_ms()
    with services.db.transaction() as tx:
        users.get(tx, user_id)
        sign_in_links.insert(
            tx, user_id=user_id, hashed=digest(secret), created_at=now, expires_at=now + minutes * MINUTE_MS
        )
        history.record(tx, actor=history.of(SYSTEM), verb="link_made", noun="user", noun_id=user_id)
    return secret


def _check_admin_remains(tx: Transaction, was: User, *, given: Fields) -> None:
    stays = given.get("role", was.role) == "admin" and given.get("is_active", was.is_active)
    if was.role != "admin" or not was.is_active or stays:
        return
    if len(users.every(tx, role="admin", is_active=True)) == 1:
        raise Conflict("last_admin", id=was.id)


def _check_role(role: str) -> None:
    if role not in PERMISSIONS:
        fields = [FieldError(pointer="/role", code="unknown_value", params=(("value", role),))]
        raise InputError("unknown_role", fields=fields, role=role)


def _hashed_password(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        fields = [FieldError(pointer="/password", code="too_short", params=(("least", str(SHORTEST_PASSWORD)),))]
        raise InputError("password_too_short", fields=fields, least=SHORTEST_PASSWORD)
    return generate_password_hash(password, method="scrypt")
