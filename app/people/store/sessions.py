"""Sessions: who is signed in with which browser; only the SHA-256 of a cookie's secret is kept."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built
from app.people.domain import SESSION_MS, Origin, Session

MOST = 50
"""Sessions that a person may have; a new one replaces the one that was not seen for longest."""


def _session(row: sqlite3.Row) -> Session:
    return built(Session, row)


def get(db: Reads, session_id: int) -> Session:
    """The session with this id; raises NotFound."""
    return _session(db.got("session", session_id))


def find_by_hash(db: Reads, hashed: str, *, now: int) -> Session | None:
    """The session in force whose secret has this SHA-256; None where there is none."""
    row = db.row("SELECT * FROM session WHERE hash = ? AND last_seen_at > ?", (hashed, now - SESSION_MS))
    return None if row is None else _session(row)


def of_user(db: Reads, user_id: int, *, now: int) -> tuple[Session, ...]:
    """The sessions of a user that are in force, the latest seen first."""
    rows = db.rows(
        "SELECT * FROM session WHERE user_id = ? AND last_seen_at > ? ORDER BY last_seen_at DESC, id DESC",
        (user_id, now - SESSION_MS),
    )
    return tuple(_session(row) for row in rows)


def insert(tx: Transaction, *, user_id: int, hashed: str, origin: Origin, at: int) -> int:
    """Keep a session; returns its id."""
    tx.execute(
        "DELETE FROM session WHERE user_id = ? AND id NOT IN "
        "(SELECT id FROM session WHERE user_id = ? ORDER BY last_seen_at DESC, id DESC LIMIT ?)",
        (user_id, user_id, MOST - 1),
    )
    return tx.insert(
        "session",
        {
            "hash": hashed,
            "user_id": user_id,
            "created_at": at,
            "last_seen_at": at,
            "address": origin.address,
            "device": origin.device,
        },
    )


def touch(tx: Transaction, session_id: int, *, origin: Origin, at: int) -> None:
    """Write down when a session was last used, and from where."""
    tx.execute(
        "UPDATE session SET last_seen_at = ?, address = ?, device = ? WHERE id = ?",
        (at, origin.address, origin.device, session_id),
    )


def end(tx: Transaction, session_id: int) -> None:
    """End a session."""
    tx.execute("DELETE FROM session WHERE id = ?", (session_id,))


def end_of_user(tx: Transaction, user_id: int, *, but: int | None = None) -> int:
    """End the sessions of a user except the one named `but`; returns their number."""
    return tx.execute("DELETE FROM session WHERE user_id = ? AND id IS NOT ?", (user_id, but))


def expire(tx: Transaction, *, before: int) -> int:
    """Delete sessions that were last seen before a time; returns their number."""
    return tx.execute("DELETE FROM session WHERE last_seen_at <= ?", (before,))
