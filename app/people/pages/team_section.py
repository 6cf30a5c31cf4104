"""The administrator's section of teams."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.people.flows import keep_teams
from app.people.flows.keep_teams import TEAM
from app.people.forms import EditTeam
from app.people.pages.admin_section import Row, Section
from app.people.store import teams, users
from app.web.access import services


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
    team = teams.get(services().db, number)
    return {"name": team.name, "members": list(team.user_ids)}


SECTION = Section(
    slug="teams",
    noun=TEAM,
    icon="diagram-3",
    title=_l("Teams"),
    one=_l("Team"),
    about=_l("A team owns queues and feeds; only its people and administrators see them."),
    heads=(_l("Name"), _l("Members"), _l("Queues")),
    rows=_teams,
    form=EditTeam,
    prepare=_team_form,
    values=_team,
    given=lambda form: {"name": form.name.data, "user_ids": form.members.data or ()},
    is_removable=True,
)
