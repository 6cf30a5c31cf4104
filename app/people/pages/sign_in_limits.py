"""Limits of requests on the sign-in routes."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

SIGN_IN_LIMITS = {
    "pages_session.sign_in": ("30 per minute", ["POST"]),
    "pages_session.sign_in_link": ("30 per minute", ["GET", "POST"]),
    "pages_session.setup": ("10 per minute", ["POST"]),
}


def install(app: Flask) -> None:
    """Limit sign-ins per address and process, because the check of a password costs time.

    The throttle on guesses is counted in the database, by `app.people.flows.sign_in`.
    """
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    for endpoint, (limit, methods) in SIGN_IN_LIMITS.items():
        if endpoint in app.view_functions:
            limited: Any = limiter.limit(limit, methods=methods)(app.view_functions[endpoint])
            app.view_functions[endpoint] = limited
