"""People and tokens: the first admin, signing in, and whom a request is for."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from werkzeug.security import generate_password_hash

from app.core import changes, clock
from app.core.db import Reads, Transaction
from app.core.errors import Conflict, DatabaseBusy, FieldError, InputError, NotSignedIn
from app.core.events import history
from app.core.nouns import Fields, Noun
from app.core.permissions import PERMISSIONS, SYSTEM, TOKEN_SCOPES, Token, User, UserRole, Viewer, digest
from app.core.registry import Registry
from app.core.services import Services
from app.core.viewers import Person
from app.people.flows import keep_sessions
from app.people.store import sign_in_links, teams, tokens, users

SHORTEST_PASSWORD = 10
MARK = "bw_"
TOUCH_MS = 60_000

FURNISHINGS: Registry[Callable[[Transaction, Services], object]] = Registry()
"""Each gives a new installation one thing that it needs, unless it has it."""

SIGHTS: Registry[Callable[[Reads, Sequence[int]], frozenset[int]]] = Registry()
"""For `queues` and `feeds`: which of them the people of these teams see, by id."""


class UserNoun(Noun[User]):
    """People who sign in; none is removed, so that the history keeps the name."""

    name = "user"
    permission = "settings:write"
    fields = frozenset({"name", "email", "role", "locale", "zone", "is_active"})
    unique = "email"
    titles = ("name", "role")

    def make(self, row: sqlite3.Row) -> User:
        """A person out of their row."""
        return users.as_user(row)

    def check(self, tx: Transaction, given: Fields, was: User | None) -> dict[str, Any]:
        """The fields of a person; raises InputError `unknown_role`, Conflict `last_admin`."""
        _check_role(given.get("role", "agent"))
        if was is not None:
            _keep_an_admin(tx, was, given=given)
        return {name: value.strip() if name == "email" else value for name, value in given.items()}

    def follow(self, tx: Transaction, was: User | None, row: User | None, viewer: Viewer) -> None:
        """End the sessions of a person who may not sign in any more."""
        if row is not None and not row.is_active:
            keep_sessions.shut_out(tx, row.id)


class TokenNoun(Noun[Token]):
    """API tokens, which are made and revoked and never edited."""

    name = "token"
    permission = "account:write"
    fields = frozenset({"name", "scopes"})
    titles = ("name", "scopes")

    def make(self, row: sqlite3.Row) -> Token:
        """A token out of its row."""
        return tokens.as_token(row)


USER, TOKEN = UserNoun(), TokenNoun()
_SETUP = replace(SYSTEM, actor_id="setup")


def needs_first_admin(services: Services) -> bool:
    """Whether nobody has an account yet."""
    return users.count(services.db) == 0


def first_admin(services: Services, *, name: str, email: str, password: str, locale: str = "en") -> User:
    """Make the first account, and what a new installation needs; raises Conflict `admin_exists` when there is one."""
    hashed = _hashed_password(password)
    with services.db.transaction() as tx:
        if users.count(tx):
            raise Conflict("admin_exists")
        given = {"name": name, "email": email, "role": "admin", "locale": locale}
        made = changes.add(tx, USER, given, viewer=_SETUP, columns={"password_hash": hashed})
        _furnish(tx, services)
        return made.row


def furnish(services: Services) -> None:
    """Give an installation what it needs, unless it has it."""
    with services.db.transaction() as tx:
        _furnish(tx, services)


def _furnish(tx: Transaction, services: Services) -> None:
    for furnishing in FURNISHINGS:
        furnishing(tx, services)


def add_user(
    services: Services,
    *,
    viewer: Viewer,
    name: str,
    email: str,
    role: UserRole,
    password: str | None = None,
    locale: str = "en",
    zone: str = "UTC",
) -> User:
    """Add a person, who may sign in with a link until they have a password."""
    columns = {} if password is None else {"password_hash": _hashed_password(password)}
    given = {"name": name, "email": email, "role": role, "locale": locale, "zone": zone}
    return changes.add(services.db, USER, given, viewer=viewer, columns=columns).row


def _keep_an_admin(tx: Transaction, was: User, *, given: Fields) -> None:
    stays = given.get("role", was.role) == "admin" and given.get("is_active", was.is_active)
    if was.role != "admin" or not was.is_active or stays:
        return
    if len(users.every(tx, role="admin", is_active=True)) == 1:
        raise Conflict("last_admin", id=was.id)


def set_password(services: Services, user_id: int, *, password: str, viewer: Viewer) -> None:
    """Give a person a password, which ends their sessions and links; raises InputError `password_too_short`."""
    hashed = _hashed_password(password)
    with services.db.transaction() as tx:
        users.set_password(tx, user_id, password_hash=hashed)
        keep_sessions.shut_out(tx, user_id)
        history.record(tx, actor=history.of(viewer), verb="password_set", noun="user", noun_id=user_id)


def sign_in_link(services: Services, user_id: int, *, minutes: int = 30) -> str:
    """The secret of a link that signs a person in once; only its SHA-256 is kept."""
    secret, now = secrets.token_urlsafe(32), clock.now_ms()
    with services.db.transaction() as tx:
        users.get(tx, user_id)
        sign_in_links.insert(
            tx, user_id=user_id, hashed=digest(secret), created_at=now, expires_at=now + minutes * 60_000
        )
        history.record(tx, actor=history.of(SYSTEM), verb="link_made", noun="user", noun_id=user_id)
    return secret


def make_token(
    services: Services,
    *,
    user_id: int,
    name: str,
    scopes: Sequence[str],
    viewer: Viewer,
    expires_at: int | None = None,
) -> tuple[Token, str]:
    """An API token and its secret, which is shown once and never again."""
    _check_scopes(scopes)
    secret = MARK + secrets.token_urlsafe(32)
    columns = {
        "user_id": user_id,
        "prefix": secret[: len(MARK) + 6],
        "hash": digest(secret),
        "created_at": clock.now_ms(),
        "expires_at": expires_at,
    }
    made = changes.add(services.db, TOKEN, {"name": name, "scopes": scopes}, viewer=viewer, columns=columns)
    return made.row, secret


def revoke_token(services: Services, token_id: int, *, viewer: Viewer) -> None:
    """End a token at once; nothing happens when it has ended."""
    with services.db.transaction() as tx:
        tokens.get(tx, token_id)
        if tokens.revoke(tx, token_id, at=clock.now_ms()):
            history.record(tx, actor=history.of(viewer), verb="revoked", noun="token", noun_id=token_id)


def viewer_for(services: Services, user: User) -> Viewer:
    """What a person may do and see: their role, and the queues and feeds of their teams and of no team."""
    return _viewer(services, user, permissions=PERMISSIONS[user.role], actor=("agent", str(user.id)))


def viewer_for_token(services: Services, secret: str) -> Viewer:
    """What a token may do and see: its scopes within its owner's role; raises NotSignedIn when it is not in force."""
    token = tokens.find_by_hash(services.db, digest(secret)) if secret.startswith(MARK) else None
    now = clock.now_ms()
    if token is None or token.revoked_at is not None or (token.expires_at or now + 1) <= now:
        raise NotSignedIn("bad_token")
    user = users.get(services.db, token.user_id)
    if not user.is_active:
        raise NotSignedIn("bad_token")
    _touch(services, token, now=now)
    granted = frozenset[str]().union(*(TOKEN_SCOPES.get(scope, frozenset()) for scope in token.scopes))
    allowed = PERMISSIONS[user.role]
    permissions = granted if "*:*" in allowed else allowed if "*:*" in granted else granted & allowed
    return _viewer(services, user, permissions=permissions, actor=("token", str(token.id)))


def _touch(services: Services, token: Token, *, now: int) -> None:
    # Once a minute is enough to show which tokens are alive, and a busy database must not cost anyone their request.
    if token.last_used_at is not None and now - token.last_used_at < TOUCH_MS:
        return
    try:
        with services.db.transaction(wait_ms=0) as tx:
            tokens.touch(tx, token.id, at=now)
    except DatabaseBusy:
        return


def person(services: Services, user_id: int) -> Person:
    """A person as a viewer; raises NotFound."""
    user = users.get(services.db, user_id)
    return Person(viewer=viewer_for(services, user), is_active=user.is_active)


def _viewer(services: Services, user: User, *, permissions: frozenset[str], actor: tuple[Any, str]) -> Viewer:
    team_ids = [team.id for team in teams.of_user(services.db, user.id)]
    is_admin = user.role == "admin"
    return Viewer(
        user_id=user.id,
        name=user.name,
        role=user.role,
        permissions=permissions,
        queue_ids=None if is_admin else SIGHTS["queues"](services.db, team_ids),
        feed_ids=None if is_admin else SIGHTS["feeds"](services.db, team_ids),
        locale=user.locale,
        zone=user.zone,
        actor_kind=actor[0],
        actor_id=actor[1],
    )


def _check_role(role: str) -> None:
    if role not in PERMISSIONS:
        fields = [FieldError(pointer="/role", code="unknown_value", params=(("value", role),))]
        raise InputError("unknown_role", fields=fields, role=role)


def _check_scopes(scopes: Sequence[str]) -> None:
    unknown = sorted(set(scopes) - set(TOKEN_SCOPES))
    if unknown or not scopes:
        fields = [FieldError(pointer="/scopes", code="unknown_value", params=(("value", ", ".join(unknown)),))]
        raise InputError("unknown_scope", fields=fields, scope=", ".join(unknown))


def _hashed_password(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        fields = [FieldError(pointer="/password", code="too_short", params=(("least", str(SHORTEST_PASSWORD)),))]
        raise InputError("password_too_short", fields=fields, least=SHORTEST_PASSWORD)
    return generate_password_hash(password, method="scrypt")
