"""Who is asking and what they may do: sessions, API tokens, and the permission that every route declares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

from flask import Flask, after_this_request, current_app, g, request, session
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect

from app.core.config import Settings
from app.core.errors import InputError, NotAllowed, NotFound, NotSignedIn
from app.core.permissions import User, Viewer
from app.core.services import Services
from app.people.domain import Session, SignInWay
from app.people.flows import keep_accounts, keep_sessions
from app.web import devices

PUBLIC = "public"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN_PATH = "/sign-in"

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
_PERMISSION = "permission"


class UndeclaredRoute(RuntimeError):
    """A route that does not say who may use it answers nobody: a fault of ours, shown as 500."""


class Visitor:
    """A person who is signed in, in the form that Flask-Login asks for.

    The cookie holds the secret of a session that is a row: where the row is gone, a copied cookie opens nothing.
    """

    is_authenticated = True
    is_anonymous = False

    def __init__(self, user: User, secret: str, found: Session | None = None) -> None:
        self.user = user
        self.is_active = user.is_active
        self.secret = secret
        self.session = found

    def get_id(self) -> str:
        """What the cookie keeps."""
        return self.secret


def requires(permission: str) -> Callable[[View], View]:
    """Declare that a route needs `noun:verb`; checked before the view runs."""

    def declare(view: View) -> View:
        setattr(view, _PERMISSION, permission)
        return view

    return declare


def public(view: View) -> View:
    """Declare that a route is for everybody."""
    setattr(view, _PERMISSION, PUBLIC)
    return view


def permission_of(app: Flask, endpoint: str) -> str | None:
    """What an endpoint declares: `noun:verb`, `public`, or None when it says nothing; static files are public."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return PUBLIC
    return cast("str | None", getattr(app.view_functions[endpoint], _PERMISSION, None))


def services() -> Services:
    """The services of the running application."""
    return cast(Services, current_app.extensions["bellwether"])


def settings() -> Settings:
    """The settings of the running application."""
    return cast(Settings, current_app.extensions["bellwether.settings"])


def is_token_request() -> bool:
    """Whether the request presents an API token, good or bad."""
    return _presented_token() is not None


def _presented_token() -> str | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    # Servers hand `api_access_token` and `Api-Access-Token` on under one name, or drop the first.
    return request.headers.get("Api-Access-Token")


def _identify(found: Services, *, token: str | None, person: Visitor | None) -> Viewer | None:
    if token is not None:
        return keep_accounts.viewer_for_token(found, token)
    return keep_accounts.viewer_for(found, person.user) if person is not None else None


def _person() -> Visitor | None:
    return cast(Visitor, current_user._get_current_object()) if current_user.is_authenticated else None


def visitor() -> Viewer | None:
    """Whom this request is for, or None when nobody is signed in; an unknown token raises NotSignedIn."""
    if "viewer" not in g:
        g.viewer = _identify(services(), token=_presented_token(), person=_person())
    return cast("Viewer | None", g.viewer)


def viewer() -> Viewer:
    """Whom this request is for; NotSignedIn when nobody is."""
    found = visitor()
    if found is None:
        raise NotSignedIn()
    return found


def user_id() -> int:
    """The person behind session or token; raises InputError `needs_a_person` where there is none."""
    found = viewer().user_id
    if found is None:
        raise InputError("needs_a_person")
    return found


def still_admitted() -> Callable[[], Viewer | None]:
    """A question that can be asked after the request: whom it is for now, or None once that has ended."""
    return partial(_identify_again, services(), token=_presented_token(), person=_person())


def _identify_again(found: Services, *, token: str | None, person: Visitor | None) -> Viewer | None:
    try:
        return _identify(found, token=token, person=None if person is None else _loaded(found, person.secret))
    except (NotSignedIn, NotFound):
        return None


def signed_in_user() -> User | None:
    """The person behind the session, or None (API tokens have no session)."""
    person = _person()
    return None if person is None else person.user


def session_id() -> int | None:
    """The row of this session; None when nobody is signed in."""
    person = _person()
    return person.session.id if person is not None and person.session is not None else None


def sign_in(user: User, *, way: SignInWay) -> None:
    """Start a session for `user`; what the session held before is dropped, except the chosen language."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    session.permanent = True
    login_user(Visitor(user, keep_sessions.begin(services(), user, way=way, origin=devices.origin())))
    after_this_request(partial(devices.remember, user=user))
    g.pop("viewer", None)


def sign_out() -> None:
    """End the session, here and for every copy of its cookie."""
    person = _person()
    if person is not None and person.session is not None:
        me = keep_accounts.viewer_for(services(), person.user)
        # One that was ended elsewhere in this very moment is ended all the same.
        with suppress(NotFound):
            keep_sessions.end(services(), person.session.id, user_id=person.user.id, viewer=me)
    logout_user()
    session.clear()
    g.pop("viewer", None)


def safe_next(target: str | None, *, fallback: str = "/") -> str:
    """`target` when it is a path of this site, else `fallback`: a sign-in link never leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return fallback
    return target if target.isprintable() else fallback


def _guard() -> None:
    endpoint = request.endpoint
    if endpoint is None or endpoint not in current_app.view_functions:
        return
    permission = permission_of(current_app, endpoint)
    if permission is None:
        raise UndeclaredRoute(endpoint)
    if permission != PUBLIC and not viewer().may(permission):
        raise NotAllowed(permission=permission)
    if request.method not in SAFE_METHODS and not is_token_request():
        csrf.protect()


def _loaded(found: Services, secret: str) -> Visitor | None:
    known = keep_sessions.find(found, secret)
    return None if known is None else Visitor(known[0], secret, known[1])


def _load(secret: str) -> Visitor | None:
    person = _loaded(services(), secret)
    if person is not None and person.session is not None:
        keep_sessions.note_seen(services(), person.session, origin=devices.origin())
    return person


def install(app: Flask) -> None:
    """Sessions, CSRF and the guard in front of every route."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_HEADERS=["X-CSRFToken"])
    csrf.init_app(app)
    manager = LoginManager()
    manager.init_app(app)
    manager.user_loader(_load)
    app.before_request(_guard)
