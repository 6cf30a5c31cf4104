"""API tokens: only the SHA-256 of a secret is kept."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads, Transaction, statement
from app.core.permissions import Token
from app.core.storage.row_mapping import built


def as_token(row: sqlite3.Row) -> Token:
    """A token out of its row."""
    return built(Token, row, tuples=("scopes",))


def get(db: Reads, token_id: int) -> Token:
    """The token with this id; raises NotFound."""
    return as_token(db.got("token", token_id))


def find_by_hash(db: Reads, hashed: str) -> Token | None:
    """The token whose secret has this SHA-256, revoked and expired ones too."""
    row = db.row("SELECT * FROM token WHERE hash = ?", (hashed,))
    return None if row is None else as_token(row)


def every(db: Reads, *, user_id: int | None = None) -> tuple[Token, ...]:
    """Tokens, newest first; of one user where given."""
    where, params = ("WHERE user_id = ?", [user_id]) if user_id is not None else ("", [])
    return tuple(as_token(row) for row in db.rows(statement("SELECT * FROM token", where, "ORDER BY id DESC"), params))


def revoke(tx: Transaction, token_id: int, *, at: int) -> bool:
    """End a token; whether it was in force."""
    return tx.execute("UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (at, token_id)) == 1


def touch(tx: Transaction, token_id: int, *, at: int) -> None:
    """Remember when a token was last used."""
    tx.execute("UPDATE token SET last_used_at = ? WHERE id = ?", (at, token_id))
