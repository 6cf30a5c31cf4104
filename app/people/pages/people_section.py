"""The administrator's section of people: accounts, roles and signed-in browsers."""

from __future__ import annotations

from typing import Any

from flask import flash, url_for
from flask_babel import lazy_gettext as _l

from app.core import changes
from app.core.nouns import Changed, Fields
from app.core.permissions import User
from app.people.domain import Session
from app.people.flows import keep_accounts, keep_sessions, show_people
from app.people.flows.keep_accounts import USER
from app.people.forms import EditUser
from app.people.pages.admin_section import Row, Section, attributes, form_fields
from app.web.access import services, viewer
from app.web.display.enum_words import word
from app.web.display.translation import gettext as _

_NEW = ("name", "email", "role", "locale", "zone")
_FIELDS = (*_NEW, "is_active")


def rows() -> list[Row]:
    """Return a row for each person, with their teams."""
    db = services().db
    teams = show_people.team_names_by_user(db)
    return [
        Row(
            id=user.id,
            cells=(
                user.name,
                user.email,
                word("role", user.role),
                ", ".join(teams.get(user.id, ())) or "—",
                _("yes") if user.is_active else _("no"),
            ),
            is_muted=not user.is_active,
        )
        for user in show_people.every_user(db)
    ]


def values(number: int) -> Fields:
    """Return the values that fill a person's form."""
    return attributes(USER.read(services().db, number), *_FIELDS)


def given(form: Any) -> Fields:
    """Return the fields of a filled form."""
    return form_fields(form, *_FIELDS)


def add(form: Any) -> Changed[User]:
    """Add a person and show their sign-in link."""
    made = changes.add(services().db, USER, form_fields(form, *_NEW), viewer=viewer())
    secret = keep_accounts.sign_in_link(services(), made.row.id)
    link, name = url_for("pages_session.sign_in_link", secret=secret, _external=True), made.row.name
    flash(_("%(name)s signs in once with this link, within 30 minutes: %(link)s", name=name, link=link), "good")
    return made


def sessions(number: int) -> tuple[Session, ...]:
    """Return the sessions of a person."""
    return keep_sessions.of_user(services().db, number)


SECTION = Section(
    slug="users",
    noun=USER,
    icon="people",
    title=_l("People"),
    one=_l("Person"),
    about=_l("Who signs in and what they may do. Who leaves is switched off, so that the history keeps the name."),
    heads=(_l("Name"), _l("E-mail"), _l("Role"), _l("Teams"), _l("May sign in")),
    rows=rows,
    form=EditUser,
    values=values,
    given=given,
    add=add,
    sessions=sessions,
)
