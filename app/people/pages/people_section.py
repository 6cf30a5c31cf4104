"""The administrator's section of people: who signs in, what they may do, and where they are signed in."""

from __future__ import annotations

from typing import Any

from flask import flash, url_for
from flask_babel import lazy_gettext as _l

from app.core import clock
from app.people.domain import Session
from app.people.flows import keep_accounts
from app.people.forms import EditUser
from app.people.pages.admin_section import Row, Section, attributes, form_fields
from app.people.store import sessions as kept
from app.people.store import teams, users
from app.web.access import services, viewer
from app.web.display.enum_words import word
from app.web.display.translation import gettext as _

_FIELDS = ("name", "email", "role", "locale", "zone", "is_active")


def rows() -> list[Row]:
    """Everybody, with their teams."""
    db = services().db
    return [
        Row(
            id=user.id,
            cells=(
                user.name,
                user.email,
                word("role", user.role),
                ", ".join(team.name for team in teams.of_user(db, user.id)) or "—",
                _("yes") if user.is_active else _("no"),
            ),
            is_muted=not user.is_active,
        )
        for user in users.every(db)
    ]


def values(number: int) -> dict[str, Any]:
    """Somebody as the form shows them."""
    return attributes(users.get(services().db, number), *_FIELDS)


def add(form: Any) -> int:
    """Add somebody and show the link that lets them in."""
    me = viewer()
    made = keep_accounts.add_user(services(), viewer=me, **form_fields(form, "name", "email", "role", "locale", "zone"))
    secret = keep_accounts.sign_in_link(services(), made.id)
    link = url_for("pages_session.sign_in_link", secret=secret, _external=True)
    flash(_("%(name)s signs in once with this link, within 30 minutes: %(link)s", name=made.name, link=link), "good")
    return made.id


def change(number: int, form: Any) -> object:
    """Change what the form has changed."""
    was = users.get(services().db, number)
    changes = {name: value for name, value in form_fields(form, *_FIELDS).items() if getattr(was, name) != value}
    return keep_accounts.change_user(services(), number, viewer=viewer(), changes=changes) if changes else None


def sessions(number: int) -> tuple[Session, ...]:
    """Where somebody is signed in."""
    return kept.of_user(services().db, number, now=clock.now_ms())


SECTION = Section(
    slug="users",
    noun="user",
    icon="people",
    title=_l("People"),
    one=_l("Person"),
    about=_l("Who signs in and what they may do. Who leaves is switched off, so that the history keeps the name."),
    heads=(_l("Name"), _l("E-mail"), _l("Role"), _l("Teams"), _l("May sign in")),
    rows=rows,
    form=EditUser,
    values=values,
    add=add,
    change=change,
    sessions=sessions,
)
