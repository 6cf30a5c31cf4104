"""One-time sign-in links: only the SHA-256 of a secret is kept, and it opens once."""

from __future__ import annotations

from app.core.db import Transaction


def insert(tx: Transaction, *, user_id: int, hashed: str, created_at: int, expires_at: int) -> int:
    """Keep a link by the SHA-256 of its secret; returns its id."""
    return tx.insert("link", {"user_id": user_id, "hash": hashed, "created_at": created_at, "expires_at": expires_at})


def claim(tx: Transaction, hashed: str, *, at: int) -> int | None:
    """Use a link up; returns the id of its user, None for a link that is unknown, expired or used."""
    claimed = tx.execute(
        "UPDATE link SET used_at = ? WHERE hash = ? AND used_at IS NULL AND expires_at > ?", (at, hashed, at)
    )
    return int(tx.value("SELECT user_id FROM link WHERE hash = ?", (hashed,))) if claimed else None


def end(tx: Transaction, user_id: int, *, at: int) -> None:
    """Close the unused links of a user."""
    tx.execute(
        "UPDATE link SET expires_at = ? WHERE user_id = ? AND used_at IS NULL AND expires_at > ?", (at, user_id, at)
    )


def expire(tx: Transaction, *, before: int) -> int:
    """Delete links that expired before a time; returns their number."""
    return tx.execute("DELETE FROM link WHERE expires_at <= ?", (before,))
