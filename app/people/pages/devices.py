"""Browsers: the short name of one, and the cookie by which it is recognised."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from flask import Response, current_app, request

from app.core.permissions import User
from app.people.domain import Origin

COOKIE = "bellwether_device"
LASTS_S = 180 * 24 * 3600
LONGEST = 60

# The first match counts: many browsers name others as well.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)


def name_of(user_agent: str) -> str:
    """Return browser and system, as in `Firefox, Windows`; else the beginning of the user agent."""
    found = [_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)]
    named = ", ".join(name for name in found if name)
    return named or "".join(one for one in user_agent if one.isprintable())[:LONGEST].strip()


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, pattern in table if re.search(pattern, user_agent)), "")


def origin() -> Origin:
    """Return the origin of this request, with the user whom its browser is known for."""
    known_for, mark = _marked()
    return Origin(
        address=request.remote_addr or "",
        device=name_of(request.user_agent.string),
        known_for=known_for,
        mark=mark,
    )


def remember(answer: Response, user: User) -> Response:
    """Set the cookie which says that this user has signed in with the browser."""
    known_for, mark = _marked()
    mark = mark if known_for == user.id else secrets.token_urlsafe(16)
    answer.set_cookie(
        COOKIE,
        f"{user.id}.{mark}.{_seal(user.id, mark)}",
        max_age=LASTS_S,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )
    return answer


def _marked() -> tuple[int | None, str]:
    number, _, rest = request.cookies.get(COOKIE, "").partition(".")
    mark, _, seal = rest.rpartition(".")
    if not re.fullmatch(r"[0-9]{1,15}", number) or not hmac.compare_digest(
        seal.encode(), _seal(int(number), mark).encode()
    ):
        return None, ""
    return int(number), mark


def _seal(user_id: int, mark: str) -> str:
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"device {user_id} {mark}".encode(), hashlib.sha256).hexdigest()
