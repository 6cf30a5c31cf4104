"""The administrator's section of teams."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.people.flows import keep_teams
from app.people.forms import EditTeam
from app.people.pages.admin_section import Row, Section
from app.people.store import teams, users
from app.web.access import services, viewer


def _teams() -> list[Row]:
    db = services().db
    owned: dict[int, list[str]] = {}
    for titles in keep_teams.HOLDINGS:
        for team_id, held in titles(services()).items():
            owned.setdefault(team_id, []).extend(held)
    return [
        Row(
            id=team.id,
            cells=(
                team.name,
                ", ".join(member.name for member in teams.members(db, team.id)) or "—",
                ", ".join(owned.get(team.id, [])) or "—",
            ),
        )
        for team in teams.every(db)
    ]


def _team_form(form: Any) -> None:
    form.members.choices = [(user.id, user.name) for user in users.every(services().db, is_active=True)]


def _team(number: int) -> dict[str, Any]:
    db = services().db
    return {"name": teams.get(db, number).name, "members": [member.id for member in teams.members(db, number)]}


def _add_team(form: Any) -> int:
    team = keep_teams.add_team(services(), viewer=viewer(), name=form.name.data)
    keep_teams.set_team_members(services(), team.id, viewer=viewer(), user_ids=form.members.data or [])
    return team.id


def _change_team(number: int, form: Any) -> object:
    keep_teams.set_team_members(services(), number, viewer=viewer(), user_ids=form.members.data or [])
    return keep_teams.rename_team(services(), number, viewer=viewer(), name=form.name.data)


SECTION = Section(
    slug="teams",
    noun="team",
    icon="diagram-3",
    title=_l("Teams"),
    one=_l("Team"),
    about=_l("A team owns queues and feeds; only its people and administrators see them."),
    heads=(_l("Name"), _l("Members"), _l("Queues")),
    rows=_teams,
    form=EditTeam,
    prepare=_team_form,
    values=_team,
    add=_add_team,
    change=_change_team,
    remove=lambda number: keep_teams.remove_team(services(), number, viewer=viewer()),
)
