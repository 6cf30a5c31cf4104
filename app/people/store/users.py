"""People who sign in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.db import Reads, Transaction, statement
from app.core.errors import Conflict
from app.core.permissions import User
from app.core.scope import Condition, joined, listed
from app.core.storage.row_mapping import built


def _user(row: sqlite3.Row) -> User:
    return built(User, row, flags=("is_active",))


def get(db: Reads, user_id: int) -> User:
    """The user with this id; raises NotFound."""
    return _user(db.got("user", user_id))


def find_by_email(db: Reads, email: str) -> User | None:
    """The user with this address, whatever its case."""
    row = db.row("SELECT * FROM user WHERE email = ?", (email.strip(),))
    return None if row is None else _user(row)


def every(db: Reads, *, role: str | None = None, is_active: bool | None = None) -> tuple[User, ...]:
    """Users by name."""
    conditions: list[Condition] = []
    if role is not None:
        conditions.append(("role = ?", [role]))
    if is_active is not None:
        conditions.append(("is_active = ?", [is_active]))
    where, params = joined(conditions)
    return tuple(_user(row) for row in db.rows(statement("SELECT * FROM user", where, "ORDER BY name, id"), params))


def count(db: Reads) -> int:
    """How many users there are."""
    return int(db.value("SELECT count(*) FROM user"))


def names(db: Reads, user_ids: Iterable[int]) -> dict[int, str]:
    """Names by id."""
    rows = db.rows("SELECT id, name FROM user WHERE id IN (SELECT value FROM json_each(?))", (listed(user_ids),))
    return {row["id"]: row["name"] for row in rows}


def insert(
    tx: Transaction,
    *,
    name: str,
    email: str,
    role: str,
    locale: str = "en",
    zone: str = "UTC",
    password_hash: str | None = None,
) -> int:
    """Add a user; raises Conflict when the address is taken."""
    try:
        return tx.insert(
            "user",
            {
                "name": name,
                "email": email.strip(),
                "role": role,
                "locale": locale,
                "zone": zone,
                "password_hash": password_hash,
            },
        )
    except sqlite3.IntegrityError as error:
        raise Conflict("email_taken", email=email) from error


def update(tx: Transaction, user_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> User:
    """Change a user; raises NotFound, Stale, or Conflict when the address is taken."""
    try:
        tx.change("user", user_id, changes=changes, version=version)
    except sqlite3.IntegrityError as error:
        raise Conflict("email_taken", email=str(changes.get("email", ""))) from error
    return get(tx, user_id)
