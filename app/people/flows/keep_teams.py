"""Teams: the people who own queues and feeds together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from app.core.db import Reads, Transaction
from app.core.errors import Conflict
from app.core.nouns import Fields, Noun
from app.core.permissions import Team
from app.core.registry import Registry
from app.people.store import teams

HOLDINGS: Registry[Callable[[Reads], Mapping[int, Sequence[str]]]] = Registry()
"""For each kind of thing that a team may own (`queues`, `feeds`): the titles of what each team owns, by its id."""


class TeamNoun(Noun[Team]):
    """Teams with their people; one that owns something stays: without it everybody would see its queues."""

    name = "team"
    permission = "settings:write"
    fields = frozenset({"name", "user_ids"})
    needed = ("name",)

    def make(self, row: sqlite3.Row) -> Team:
        """A team out of its row."""
        return teams.as_team(row)

    def read(self, db: Reads, thing_id: int) -> Team:
        """Return a team with its people; raises NotFound."""
        return teams.get(db, thing_id)

    def check(self, tx: Transaction, given: Fields, was: Team | None) -> Fields:
        """Return the fields, with the people in the order of their ids."""
        return {name: tuple(sorted(set(value))) if name == "user_ids" else value for name, value in given.items()}

    def verb(self, was: Team, wanted: Fields) -> str:
        """Return `members_set` where only the people change."""
        return "members_set" if set(wanted) == {"user_ids"} else "edited"

    def insert(self, tx: Transaction, columns: Fields) -> int:
        """Add a team with its people; returns its id."""
        team_id = super().insert(tx, _without_people(columns))
        teams.set_members(tx, team_id, user_ids=columns.get("user_ids", ()))
        return team_id

    def update(self, tx: Transaction, thing_id: int, columns: Fields) -> None:
        """Write the columns of a team, and its people where they are given."""
        super().update(tx, thing_id, _without_people(columns))
        if "user_ids" in columns:
            teams.set_members(tx, thing_id, user_ids=columns["user_ids"])

    def delete(self, tx: Transaction, row: Team) -> None:
        """Remove a team that owns nothing; raises Conflict `team_in_use`."""
        if any(row.id in titles(tx) for titles in HOLDINGS):
            raise Conflict("team_in_use", name=row.name)
        super().delete(tx, row)


TEAM = TeamNoun()


def _without_people(columns: Fields) -> Fields:
    return {name: value for name, value in columns.items() if name != "user_ids"}
