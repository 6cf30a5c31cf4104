"""Who is asking and what they may do: the permission that every route declares, checked before its view runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from flask import Flask, current_app, g, request
from flask_wtf.csrf import CSRFProtect

from app.core.config import Settings
from app.core.errors import InputError, NotAllowed, NotSignedIn
from app.core.permissions import User, Viewer
from app.core.services import Services

PUBLIC = "public"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN_PATH = "/sign-in"
IDENTITY = "bellwether.identity"
"""Under which name in `app.extensions` the Identity of an application stands."""

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
_PERMISSION = "permission"


class UndeclaredRoute(RuntimeError):
    """A route that does not say who may use it answers nobody: a fault of ours, shown as 500."""


class Identity(Protocol):
    """Knows people and API tokens, and finds whom a request is for."""

    def user(self) -> User | None:
        """The person behind the session, or None."""

    def viewer(self, token: str | None) -> Viewer | None:
        """Whom this request is for, with the token that it presents; raises NotSignedIn for an unknown token."""

    def later(self, token: str | None) -> Callable[[], Viewer | None]:
        """A question that can be asked after the request: whom it is for now, or None once that has ended."""


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


def _identity() -> Identity:
    return cast(Identity, current_app.extensions[IDENTITY])


def visitor() -> Viewer | None:
    """Whom this request is for, or None when nobody is signed in; an unknown token raises NotSignedIn."""
    if "viewer" not in g:
        g.viewer = _identity().viewer(_presented_token())
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
    return _identity().later(_presented_token())


def signed_in_user() -> User | None:
    """The person behind the session, or None (API tokens have no session)."""
    return _identity().user()


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


def install(app: Flask) -> None:
    """CSRF and the guard in front of every route; who knows people is put into `app.extensions[IDENTITY]`."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_HEADERS=["X-CSRFToken"])
    csrf.init_app(app)
    app.before_request(_guard)
