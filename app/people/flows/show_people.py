"""Reads of people and teams for lists, forms and commands."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.db import Reads
from app.core.errors import NotFound
from app.core.permissions import Team, User
from app.people.flows import keep_teams
from app.people.store import teams, users


def every_user(db: Reads, *, is_active: bool | None = None) -> tuple[User, ...]:
    """All users, or those who may sign in, by name."""
    return users.every(db, is_active=is_active)


def get_user_by_email(db: Reads, email: str) -> User:
    """The user with this address; raises NotFound."""
    found = users.find_by_email(db, email)
    if found is None:
        raise NotFound(noun="user", id=email)
    return found


def names(db: Reads, user_ids: Iterable[int]) -> dict[int, str]:
    """The names of these users by id."""
    return users.names(db, user_ids)


def every_team(db: Reads) -> tuple[Team, ...]:
    """All teams, by name."""
    return teams.every(db)


def team_names_by_user(db: Reads) -> dict[int, list[str]]:
    """The names of each user's teams, by the id of the user."""
    found: dict[int, list[str]] = {}
    for team in teams.every(db):
        for user_id in team.user_ids:
            found.setdefault(user_id, []).append(team.name)
    return found


def queue_titles_by_team(db: Reads) -> dict[int, list[str]]:
    """The titles of each team's queues, by the id of the team."""
    return {team_id: list(titles) for team_id, titles in keep_teams.HOLDINGS["queues"](db).items()}
