"""Teams: the people who own queues and feeds together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from app.core.db import Reads, Transaction, statement
from app.core.errors import NotFound
from app.core.permissions import Team
from app.core.storage.row_mapping import built

_TEAM = """SELECT team.*, (SELECT json_group_array(user_id) FROM
(SELECT user_id FROM team_member WHERE team_id = team.id ORDER BY user_id)) AS user_ids FROM team"""


def as_team(row: sqlite3.Row) -> Team:
    """A team out of its row, which holds the ids of its people as a JSON list."""
    return built(Team, row, tuples=("user_ids",))


def get(db: Reads, team_id: int) -> Team:
    """The team with this id; raises NotFound."""
    row = db.row(statement(_TEAM, "WHERE id = ?"), (team_id,))
    if row is None:
        raise NotFound(noun="team", id=team_id)
    return as_team(row)


def find_by_name(db: Reads, name: str) -> Team | None:
    """The team with this name; None where there is none."""
    row = db.row(statement(_TEAM, "WHERE name = ?"), (name,))
    return None if row is None else as_team(row)


def every(db: Reads) -> tuple[Team, ...]:
    """All teams, by name."""
    return tuple(as_team(row) for row in db.rows(statement(_TEAM, "ORDER BY name")))


def of_user(db: Reads, user_id: int) -> tuple[Team, ...]:
    """The teams of a user, by name."""
    rows = db.rows(
        statement(_TEAM, "WHERE id IN (SELECT team_id FROM team_member WHERE user_id = ?) ORDER BY name"), (user_id,)
    )
    return tuple(as_team(row) for row in rows)


def set_members(tx: Transaction, team_id: int, *, user_ids: Iterable[int]) -> None:
    """Replace the people of a team."""
    tx.execute("DELETE FROM team_member WHERE team_id = ?", (team_id,))
    tx.execute_many("INSERT INTO team_member VALUES (?, ?)", [(team_id, user_id) for user_id in sorted(set(user_ids))])
