"""The viewer of a request: the person of the session in its cookie, or the owner of its API token."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import cast

from flask import Flask, after_this_request, g, session
from flask_login import LoginManager, current_user, login_user, logout_user

from app.core.errors import NotFound, NotSignedIn
from app.core.permissions import User, Viewer
from app.core.services import Services
from app.people.domain import SESSION_MS, Session, SignInWay
from app.people.flows import find_viewer, keep_sessions
from app.people.pages import devices
from app.web.access import IDENTITY, services


class Visitor:
    """A signed-in person, as Flask-Login needs them.

    The cookie holds the secret of a session's row; once the row is deleted, a copied cookie is worthless.
    """

    is_authenticated = True
    is_anonymous = False

    def __init__(self, user: User, secret: str, found: Session | None = None) -> None:
        self.user = user
        self.is_active = user.is_active
        self.secret = secret
        self.session = found

    def get_id(self) -> str:
        """Return the secret for the cookie."""
        return self.secret


class RequestIdentity:
    """Finds the viewer of a request by its API token, else by its session; see `app.web.access.Identity`."""

    def user(self) -> User | None:
        """Return the person of the session, or None."""
        person = _person()
        return None if person is None else person.user

    def viewer(self, token: str | None) -> Viewer | None:
        """Return the viewer of this request; raises NotSignedIn for an unknown token."""
        return _identify(services(), token=token, person=_person())

    def viewer_after_request(self, token: str | None) -> Callable[[], Viewer | None]:
        """Return a function for use after the request: it gives the viewer, or None once token or session has ended."""
        return partial(_identify_again, services(), token=token, person=_person())


def _person() -> Visitor | None:
    return cast(Visitor, current_user._get_current_object()) if current_user.is_authenticated else None


def _identify(found: Services, *, token: str | None, person: Visitor | None) -> Viewer | None:
    if token is not None:
        return find_viewer.viewer_for_token(found, token)
    return find_viewer.viewer_for(found, person.user) if person is not None else None


def _identify_again(found: Services, *, token: str | None, person: Visitor | None) -> Viewer | None:
    try:
        return _identify(found, token=token, person=None if person is None else _loaded(found, person.secret))
    except (NotSignedIn, NotFound):
        return None


def session_id() -> int | None:
    """Return the id of this session; None where nobody is signed in."""
    person = _person()
    return person.session.id if person is not None and person.session is not None else None


def sign_in(user: User, *, way: SignInWay) -> None:
    """Start a session for a user; of an earlier session only the chosen language is kept."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    session.permanent = True
    login_user(Visitor(user, keep_sessions.begin(services(), user, way=way, origin=devices.origin())))
    after_this_request(partial(devices.remember, user=user))
    g.pop("viewer", None)


def sign_out() -> None:
    """End the session, also for every copy of its cookie."""
    person = _person()
    if person is not None and person.session is not None:
        me = find_viewer.viewer_for(services(), person.user)
        # The session may have been ended elsewhere at the same moment.
        with suppress(NotFound):
            keep_sessions.end(services(), person.session.id, user_id=person.user.id, viewer=me)
    logout_user()
    session.clear()
    g.pop("viewer", None)


def _loaded(found: Services, secret: str) -> Visitor | None:
    known = keep_sessions.find(found, secret)
    return None if known is None else Visitor(known[0], secret, known[1])


def _load(secret: str) -> Visitor | None:
    person = _loaded(services(), secret)
    if person is not None and person.session is not None:
        keep_sessions.note_seen(services(), person.session, origin=devices.origin())
    return person


def install(app: Flask) -> None:
    """Set up sessions and the identity of requests."""
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(milliseconds=SESSION_MS)
    app.extensions[IDENTITY] = RequestIdentity()
    manager = LoginManager()
    manager.init_app(app)
    manager.user_loader(_load)
