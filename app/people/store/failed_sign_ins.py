"""Failed sign-ins in a row, counted by account and by address, and until when the next has to wait."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.db import Reads, Transaction
from app.people.domain import FAILURES_KEPT_MS

MOST_ROWS = 100_000
"""Rows that are kept when addresses are invented by the thousand; the latest ones stay."""


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The number of sign-ins that failed in a row, and until when the next is refused (ms UTC)."""

    n_failed: int = 0
    wait_until: int = 0


def get(db: Reads, key: str, *, now: int) -> Failures:
    """The failures of a key; none once a day has passed without another one."""
    row = db.row(
        "SELECT n_failed, wait_until FROM failed_sign_in WHERE key = ? AND last_at > ?", (key, now - FAILURES_KEPT_MS)
    )
    return Failures() if row is None else Failures(n_failed=row["n_failed"], wait_until=row["wait_until"])


def put(tx: Transaction, key: str, found: Failures, *, at: int) -> None:
    """Keep the failures of a key."""
    tx.execute(
        "INSERT INTO failed_sign_in (key, n_failed, wait_until, last_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET n_failed = excluded.n_failed, wait_until = excluded.wait_until, "
        "last_at = excluded.last_at",
        (key, found.n_failed, found.wait_until, at),
    )


def clear(tx: Transaction, key: str) -> None:
    """Forget the failures of a key."""
    tx.execute("DELETE FROM failed_sign_in WHERE key = ?", (key,))


def take_one_back(tx: Transaction, key: str) -> None:
    """Subtract one failure of a key, and end the wait that it caused."""
    tx.execute("UPDATE failed_sign_in SET n_failed = max(n_failed - 1, 0), wait_until = 0 WHERE key = ?", (key,))


def note_recorded(tx: Transaction, key: str, *, at: int | None) -> None:
    """Write down when history recorded a failure of a key; None keeps the time and takes as long."""
    tx.execute("UPDATE failed_sign_in SET told_at = coalesce(?, told_at) WHERE key = ?", (at, key))


def n_recorded(db: Reads, *, since: int) -> int:
    """The number of keys of which history recorded a failure since a time."""
    return int(db.value("SELECT count(*) FROM failed_sign_in WHERE told_at > ?", (since,)))


def expire(tx: Transaction, *, before: int) -> int:
    """Delete keys whose last failure lies before a time, and the oldest beyond `MOST_ROWS`; returns their number."""
    n_gone = tx.execute("DELETE FROM failed_sign_in WHERE last_at <= ?", (before,))
    return n_gone + tx.execute(
        "DELETE FROM failed_sign_in WHERE last_at <= "
        "(SELECT last_at FROM failed_sign_in ORDER BY last_at DESC LIMIT 1 OFFSET ?)",
        (MOST_ROWS,),
    )
