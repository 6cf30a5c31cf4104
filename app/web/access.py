"""Access: the viewer of a request, and the permission that every route declares, checked before its view runs."""

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
"""The key of the application's Identity in `app.extensions`."""

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
_PERMISSION = "permission"


class UndeclaredRoute(RuntimeError):
    """A route without a declared permission answers nobody: a fault of the program, shown as 500."""


class Identity(Protocol):
    """Finds the person or the API token behind a request."""

    def user(self) -> User | None:
        """Return the person of the session, or None."""

    def viewer(self, token: str | None) -> Viewer | None:
        """Return the viewer of this request with its token, or None; raises NotSignedIn for an unknown token."""

    def viewer_after_request(self, token: str | None) -> Callable[[], Viewer | None]:
        """Return a function for use after the request: it gives the viewer, or None once token or session has ended."""


def requires(permission: str) -> Callable[[View], View]:
    """Declare that a route needs the permission `noun:verb`."""

    def declare(view: View) -> View:
        setattr(view, _PERMISSION, permission)
        return view

    return declare


def public(view: View) -> View:
    """Declare that a route needs no permission."""
    setattr(view, _PERMISSION, PUBLIC)
    return view


def permission_of(app: Flask, endpoint: str) -> str | None:
    """Return the permission that an endpoint declares, `public`, or None without one; static files are public."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return PUBLIC
    return cast("str | None", getattr(app.view_functions[endpoint], _PERMISSION, None))


def services() -> Services:
    """Return the services of the running application."""
    return cast(Services, current_app.extensions["bellwether"])


def settings() -> Settings:
    """Return the settings of the running application."""
    return cast(Settings, current_app.extensions["bellwether.settings"])


def is_token_request() -> bool:
    """Return True for a request with an API token, valid or not."""
    return _presented_token() is not None


def _presented_token() -> str | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    # Servers pass `api_access_token` and `Api-Access-Token` on under one name, or drop the first.
    return request.headers.get("Api-Access-Token")


def _identity() -> Identity:
    return cast(Identity, current_app.extensions[IDENTITY])


def visitor() -> Viewer | None:
    """Return the viewer of this request, None where nobody is signed in; raises NotSignedIn for an unknown token."""
    if "viewer" not in g:
        g.viewer = _identity().viewer(_presented_token())
    return cast("Viewer | None", g.viewer)


def viewer() -> Viewer:
    """Return the viewer of this request; raises NotSignedIn."""
    found = visitor()
    if found is None:
        raise NotSignedIn()
    return found


def user_id() -> int:
    """Return the user id of session or token; raises InputError `needs_a_person` without one."""
    found = viewer().user_id
    if found is None:
        raise InputError("needs_a_person")
    return found


def viewer_after_request() -> Callable[[], Viewer | None]:
    """Return a function for use after the request: it gives the viewer, or None once token or session has ended."""
    return _identity().viewer_after_request(_presented_token())


def signed_in_user() -> User | None:
    """Return the person of the session, or None; API tokens have no session."""
    return _identity().user()


def safe_next(target: str | None, *, fallback: str = "/") -> str:
    """Return `target` where it is a path of this site, else `fallback`, so that a sign-in never leads elsewhere."""
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
    """Put the CSRF check and the permission check before every route; they need `app.extensions[IDENTITY]`."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_HEADERS=["X-CSRFToken"])
    csrf.init_app(app)
    app.before_request(_guard)
