"""API tokens: only the SHA-256 of a secret is kept."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads, Transaction, statement
from app.core.permissions import Token
from app.core.storage.row_mapping import built


def as_token(row: sqlite3.Row) -> Token:
    """A token out of its row."""
    return built(Token, row, tuples=("scopes",))


def find_by_hash(db: Reads, hashed: str) -> Token | None:
    """The token whose secret has this SHA-256, also a revoked or expired one; None where there is none."""
    row = db.row("SELECT * FROM token WHERE hash = ?", (hashed,))
    return None if row is None else as_token(row)


def every(db: Reads, *, user_id: int | None = None) -> tuple[Token, ...]:
    """The tokens of a user (None: of everybody), newest first."""
    where, params = ("WHERE user_id = ?", [user_id]) if user_id is not None else ("", [])
    return tuple(as_token(row) for row in db.rows(statement("SELECT * FROM token", where, "ORDER BY id DESC"), params))


def revoke(tx: Transaction, token_id: int, *, at: int) -> bool:
    """Revoke a token; returns False for one that was revoked before."""
    return tx.execute("UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (at, token_id)) == 1


def touch(tx: Transaction, token_id: int, *, at: int) -> None:
    """Write down when a token was last used."""
    tx.execute("UPDATE token SET last_used_at = ? WHERE id = ?", (at, token_id))
