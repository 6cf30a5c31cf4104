"""Presence: who has a ticket open, in rows that live for seconds."""

from __future__ import annotations

from app.core.db import Reads, Transaction
from app.desk.domain.ticket import Present


def of(db: Reads, ticket_id: int, *, since: int) -> tuple[Present, ...]:
    """The people who have had a ticket open since a time, by name."""
    rows = db.rows(
        "SELECT presence.user_id, user.name, presence.is_typing FROM presence JOIN user ON user.id = presence.user_id "
        "WHERE presence.ticket_id = ? AND presence.seen_at >= ? ORDER BY user.name",
        (ticket_id, since),
    )
    return tuple(Present(user_id=row["user_id"], name=row["name"], is_typing=bool(row["is_typing"])) for row in rows)


def put(tx: Transaction, *, ticket_id: int, user_id: int, is_typing: bool, at: int) -> None:
    """Note that somebody is there."""
    tx.execute(
        "INSERT INTO presence VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at, "
        "is_typing = excluded.is_typing",
        (ticket_id, user_id, at, is_typing),
    )


def leave(tx: Transaction, *, ticket_id: int, user_id: int) -> None:
    """Somebody has left."""
    tx.execute("DELETE FROM presence WHERE ticket_id = ? AND user_id = ?", (ticket_id, user_id))


def expire(tx: Transaction, *, before: int) -> int:
    """Remove entries that are long out of date; returns their number."""
    return tx.execute("DELETE FROM presence WHERE seen_at < ?", (before,))
