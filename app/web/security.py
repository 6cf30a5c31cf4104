"""Protection of every answer: headers, sizes, request ids, cookies, and the key that signs them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface

from app.core.config import Settings
from app.core.storage import private_files

View = TypeVar("View", bound=Callable[..., Any])

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"
_LARGE = "__bellwether_large_body__"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def policy(**changes: str) -> str:
    """Return the Content-Security-Policy header with some directives replaced; `style_src` stands for `style-src`."""
    directives = {**POLICY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def large_body(view: View) -> View:
    """Let a route accept bodies up to `max_upload_bytes`."""
    setattr(view, _LARGE, True)
    return view


def secret_key(instance: Path) -> str:
    """Return the key in `instance/secret_key` (mode 0600), made by the first process that asks for it."""
    private_files.private_folder(instance)
    return private_files.read_or_make(instance / "secret_key", partial(secrets.token_hex, 32))


def setup_secret(settings: Settings) -> str:
    """Return the secret in the link to the set-up of a new installation; it needs access to the instance folder."""
    key = settings.secret_key or secret_key(settings.instance)
    return hmac.new(key.encode(), b"setup", hashlib.sha256).hexdigest()[:40]


class Sessions(SecureCookieSessionInterface):
    """Signed cookies whose key is made at the first request, so that the import of wsgi.py writes nothing."""

    def get_signing_serializer(self, app: Flask) -> Any:
        """Return the serializer; makes the key before."""
        if not app.secret_key:
            settings: Settings = app.extensions["bellwether.settings"]
            app.secret_key = settings.secret_key or secret_key(settings.instance)
        return super().get_signing_serializer(app)


def _begin_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(8)}"
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, _LARGE, False):
        request.max_content_length = current_app.extensions["bellwether.settings"].max_upload_bytes


def _finish_response(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy())
    if request.is_secure or current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if "request_id" in g:
        response.headers["X-Request-Id"] = g.request_id
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def install(app: Flask, settings: Settings) -> None:
    """Set headers, sizes, ids and cookies for every request."""
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_body_bytes,
        SESSION_COOKIE_NAME="bellwether",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_secure_cookie,
    )
    app.session_interface = Sessions()
    app.before_request(_begin_request)
    app.after_request(_finish_response)
