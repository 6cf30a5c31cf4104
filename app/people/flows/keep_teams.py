"""Teams: added, renamed, given their people, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.core.errors import Conflict
from app.core.events import history
from app.core.permissions import Team, Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.people.store import teams

HOLDINGS: Registry[Callable[[Services], Mapping[int, Sequence[str]]]] = Registry()
"""The titles of what each team owns, for each kind of thing, by the id of the team."""


def add_team(services: Services, *, viewer: Viewer, name: str) -> Team:
    """Add a team; raises Conflict when the name is taken."""
    with services.db.transaction() as tx:
        team_id = teams.insert(tx, name=name)
        history.record(tx, actor=history.of(viewer), verb="created", noun="team", noun_id=team_id, after={"name": name})
        return teams.get(tx, team_id)


def rename_team(services: Services, team_id: int, *, viewer: Viewer, name: str) -> Team:
    """Give a team another name; raises Conflict when it is taken."""
    with services.db.transaction() as tx:
        was = teams.get(tx, team_id)
        if was.name == name:
            return was
        teams.rename(tx, team_id, name=name)
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="team",
            noun_id=team_id,
            before={"name": was.name},
            after={"name": name},
        )
        return teams.get(tx, team_id)


def remove_team(services: Services, team_id: int, *, viewer: Viewer) -> None:
    """Remove a team that owns nothing; raises Conflict `team_in_use`: without it everybody would see its queues."""
    with services.db.transaction() as tx:
        was = teams.get(tx, team_id)
        if teams.owns_anything(tx, team_id):
            raise Conflict("team_in_use", name=was.name)
        teams.delete(tx, team_id)
        history.record(
            tx, actor=history.of(viewer), verb="deleted", noun="team", noun_id=team_id, before={"name": was.name}
        )


def set_team_members(services: Services, team_id: int, *, viewer: Viewer, user_ids: Iterable[int]) -> None:
    """Make these people, and no others, the team."""
    wanted = sorted(set(user_ids))
    with services.db.transaction() as tx:
        teams.get(tx, team_id)
        before = sorted(member.id for member in teams.members(tx, team_id))
        if before == wanted:
            return
        teams.set_members(tx, team_id, user_ids=wanted)
        history.record(
            tx,
            actor=history.of(viewer),
            verb="members_set",
            noun="team",
            noun_id=team_id,
            before={"user_ids": before},
            after={"user_ids": wanted},
        )
