"""API tokens: made, listed and revoked; a secret is shown once."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence

from app.core import changes, clock
from app.core.db import Reads
from app.core.errors import DatabaseBusy, FieldError, InputError, NotFound, NotSignedIn
from app.core.events import history
from app.core.nouns import Noun
from app.core.permissions import TOKEN_SCOPES, Token, Viewer, digest
from app.core.services import Services
from app.people.store import tokens

MARK = "bw_"
"""The beginning of every secret."""

TOUCH_MS = 60_000
"""The last use of a token is written down this often."""


class TokenNoun(Noun[Token]):
    """API tokens, which are made and revoked and never edited."""

    name = "token"
    permission = "account:write"
    fields = frozenset({"name", "scopes"})
    titles = ("name", "scopes")

    def make(self, row: sqlite3.Row) -> Token:
        """A token out of its row."""
        return tokens.as_token(row)

    def see(self, db: Reads, row: Token, viewer: Viewer) -> None:
        """Raise NotFound for somebody else's token, unless the viewer may revoke everybody's."""
        if row.user_id != viewer.user_id and not viewer.may("tokens:write"):
            raise NotFound(noun="token", id=row.id)


TOKEN = TokenNoun()


def of_viewer(db: Reads, *, viewer: Viewer) -> tuple[Token, ...]:
    """The viewer's own tokens, newest first."""
    return tokens.every(db, user_id=viewer.user_id or 0)


def every(db: Reads) -> tuple[Token, ...]:
    """Everybody's tokens, newest first."""
    return tokens.every(db)


def make_token(
    services: Services,
    *,
    user_id: int,
    name: str,
    scopes: Sequence[str],
    viewer: Viewer,
    expires_at: int | None = None,
) -> tuple[Token, str]:
    """Make a token; returns it with its secret. Raises InputError `unknown_scope`."""
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
    """Revoke a token at once; one that was revoked before stays as it is. Raises NotFound."""
    with services.db.transaction() as tx:
        TOKEN.get(tx, token_id, viewer=viewer)
        if tokens.revoke(tx, token_id, at=clock.now_ms()):
            history.record(tx, actor=history.of(viewer), verb="revoked", noun="token", noun_id=token_id)


def in_force(services: Services, secret: str) -> Token:
    """The token with this secret; raises NotSignedIn for one that is unknown, revoked or expired."""
    token = tokens.find_by_hash(services.db, digest(secret)) if secret.startswith(MARK) else None
    now = clock.now_ms()
    if token is None or token.revoked_at is not None or (token.expires_at or now + 1) <= now:
        raise NotSignedIn("bad_token")
    return token


def note_used(services: Services, token: Token) -> None:
    """Write down that a token is in use, once a minute; a busy database does not fail the request."""
    now = clock.now_ms()
    if token.last_used_at is not None and now - token.last_used_at < TOUCH_MS:
        return
    try:
        with services.db.transaction(wait_ms=0) as tx:
            tokens.touch(tx, token.id, at=now)
    except DatabaseBusy:
        return


def _check_scopes(scopes: Sequence[str]) -> None:
    unknown = sorted(set(scopes) - set(TOKEN_SCOPES))
    if unknown or not scopes:
        fields = [FieldError(pointer="/scopes", code="unknown_value", params=(("value", ", ".join(unknown)),))]
        raise InputError("unknown_scope", fields=fields, scope=", ".join(unknown))
