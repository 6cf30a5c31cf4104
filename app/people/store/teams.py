"""Teams: the people who own queues and feeds together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from app.core.db import Reads, Transaction
from app.core.permissions import Team, User
from app.core.storage.row_mapping import built


def as_team(row: sqlite3.Row) -> Team:
    """A team out of its row."""
    return built(Team, row)


def get(db: Reads, team_id: int) -> Team:
    """The team with this id and its people; raises NotFound."""
    team = as_team(db.got("team", team_id))
    rows = db.rows("SELECT user_id FROM team_member WHERE team_id = ? ORDER BY user_id", (team_id,))
    return replace(team, user_ids=tuple(row["user_id"] for row in rows))


def find_by_name(db: Reads, name: str) -> Team | None:
    """The team of this name."""
    row = db.row("SELECT * FROM team WHERE name = ?", (name,))
    return None if row is None else as_team(row)


def every(db: Reads) -> tuple[Team, ...]:
    """Teams by name."""
    return tuple(as_team(row) for row in db.rows("SELECT * FROM team ORDER BY name"))


def of_user(db: Reads, user_id: int) -> tuple[Team, ...]:
    """The teams that a user belongs to."""
    rows = db.rows(
        "SELECT team.* FROM team JOIN team_member ON team_id = team.id WHERE user_id = ? ORDER BY name", (user_id,)
    )
    return tuple(as_team(row) for row in rows)


def members(db: Reads, team_id: int) -> tuple[User, ...]:
    """The users of a team, by name."""
    rows = db.rows(
        "SELECT user.* FROM user JOIN team_member ON user_id = user.id WHERE team_id = ? ORDER BY name", (team_id,)
    )
    return tuple(built(User, row, flags=("is_active",)) for row in rows)


def owns_anything(db: Reads, team_id: int) -> bool:
    """Whether queues or feeds are this team's."""
    return bool(
        db.value(
            "SELECT EXISTS (SELECT 1 FROM queue WHERE team_id = ?) OR EXISTS (SELECT 1 FROM feed WHERE team_id = ?)",
            (team_id, team_id),
        )
    )


def add_member(tx: Transaction, team_id: int, *, user_id: int) -> None:
    """Put a user into a team; nothing happens when they are in it."""
    tx.execute("INSERT OR IGNORE INTO team_member VALUES (?, ?)", (team_id, user_id))


def set_members(tx: Transaction, team_id: int, *, user_ids: Iterable[int]) -> None:
    """Make these users, and no others, the team."""
    tx.execute("DELETE FROM team_member WHERE team_id = ?", (team_id,))
    tx.execute_many("INSERT INTO team_member VALUES (?, ?)", [(team_id, user_id) for user_id in sorted(set(user_ids))])
