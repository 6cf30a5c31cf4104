"""The administrator's section of teams."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.core.nouns import Fields
from app.people.flows import show_people
from app.people.flows.keep_teams import TEAM
from app.people.forms import EditTeam
from app.people.pages.admin_section import Row, Section
from app.web.access import services


def _rows() -> list[Row]:
    db = services().db
    queues = show_people.queue_titles_by_team(db)
    members = {user.id: user.name for user in show_people.every_user(db)}
    return [
        Row(
            id=team.id,
            cells=(
                team.name,
                ", ".join(sorted(members[user_id] for user_id in team.user_ids)) or "—",
                ", ".join(queues.get(team.id, ())) or "—",
            ),
        )
        for team in show_people.every_team(db)
    ]


def _offer_members(form: Any) -> None:
    form.members.choices = [(user.id, user.name) for user in show_people.every_user(services().db, is_active=True)]


def _values(number: int) -> Fields:
    team = TEAM.read(services().db, number)
    return {"name": team.name, "members": list(team.user_ids)}


SECTION = Section(
    slug="teams",
    noun=TEAM,
    icon="diagram-3",
    title=_l("Teams"),
    one=_l("Team"),
    about=_l("A team owns queues and feeds; only its people and administrators see them."),
    heads=(_l("Name"), _l("Members"), _l("Queues")),
    rows=_rows,
    form=EditTeam,
    prepare=_offer_members,
    values=_values,
    given=lambda form: {"name": form.name.data, "user_ids": form.members.data or ()},
    is_removable=True,
)
