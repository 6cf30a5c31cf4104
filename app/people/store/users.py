"""Users: the people who sign in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from app.core.db import Reads, statement
from app.core.permissions import User
from app.core.scope import Condition, joined, listed
from app.core.storage.row_mapping import built


def as_user(row: sqlite3.Row) -> User:
    """A user out of their row."""
    return built(User, row, flags=("is_active",))


def get(db: Reads, user_id: int) -> User:
    """The user with this id; raises NotFound."""
    return as_user(db.got("user", user_id))


def find_by_email(db: Reads, email: str) -> User | None:
    """The user with this address in any case; None where there is none."""
    row = db.row("SELECT * FROM user WHERE email = ?", (email.strip(),))
    return None if row is None else as_user(row)


def every(db: Reads, *, role: str | None = None, is_active: bool | None = None) -> tuple[User, ...]:
    """Users of a role and a state (None: of any), by name."""
    conditions: list[Condition] = []
    if role is not None:
        conditions.append(("role = ?", [role]))
    if is_active is not None:
        conditions.append(("is_active = ?", [is_active]))
    where, params = joined(conditions)
    return tuple(as_user(row) for row in db.rows(statement("SELECT * FROM user", where, "ORDER BY name, id"), params))


def count(db: Reads) -> int:
    """The number of users."""
    return int(db.value("SELECT count(*) FROM user"))


def names(db: Reads, user_ids: Iterable[int]) -> dict[int, str]:
    """The names of these users by id."""
    rows = db.rows("SELECT id, name FROM user WHERE id IN (SELECT value FROM json_each(?))", (listed(user_ids),))
    return {row["id"]: row["name"] for row in rows}
