"""Failed sign-ins in a row, of an account or from an address, and until when the next has to wait."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.db import Reads, Transaction
from app.people.domain import FORGOTTEN_MS

MOST_ROWS = 100_000
"""Rows that are kept when addresses are made up by the thousand; the latest ones stay."""


@dataclass(frozen=True, kw_only=True)
class Failures:
    """How many sign-ins failed in a row, and until when the next is refused (ms UTC)."""

    n_failed: int = 0
    wait_until: int = 0


def get(db: Reads, key: str, *, now: int) -> Failures:
    """What is known of a key; after a day without another failure nothing is."""
    row = db.row(
        "SELECT n_failed, wait_until FROM failed_sign_in WHERE key = ? AND last_at > ?", (key, now - FORGOTTEN_MS)
    )
    return Failures() if row is None else Failures(n_failed=row["n_failed"], wait_until=row["wait_until"])


def put(tx: Transaction, key: str, found: Failures, *, at: int) -> None:
    """Keep what is known of a key now."""
    tx.execute(
        "INSERT INTO failed_sign_in (key, n_failed, wait_until, last_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET n_failed = excluded.n_failed, wait_until = excluded.wait_until, "
        "last_at = excluded.last_at",
        (key, found.n_failed, found.wait_until, at),
    )


def clear(tx: Transaction, key: str) -> None:
    """Forget the failures of a key."""
    tx.execute("DELETE FROM failed_sign_in WHERE key = ?", (key,))


def forgive(tx: Transaction, key: str) -> None:
    """Take one failure of a key back, and the wait that it brought."""
    tx.execute("UPDATE failed_sign_in SET n_failed = max(n_failed - 1, 0), wait_until = 0 WHERE key = ?", (key,))


def note_told(tx: Transaction, key: str, *, at: int | None) -> None:
    """Write down when the history told of a key; None leaves that as it was and costs as much."""
    tx.execute("UPDATE failed_sign_in SET told_at = coalesce(?, told_at) WHERE key = ?", (at, key))


def n_told(db: Reads, *, since: int) -> int:
    """Of how many keys the history told since a time."""
    return int(db.value("SELECT count(*) FROM failed_sign_in WHERE told_at > ?", (since,)))


def expire(tx: Transaction, *, before: int) -> int:
    """Forget what failed last before a time, and the oldest rows where there are too many; how many."""
    n_gone = tx.execute("DELETE FROM failed_sign_in WHERE last_at <= ?", (before,))
    return n_gone + tx.execute(
        "DELETE FROM failed_sign_in WHERE last_at <= "
        "(SELECT last_at FROM failed_sign_in ORDER BY last_at DESC LIMIT 1 OFFSET ?)",
        (MOST_ROWS,),
    )
