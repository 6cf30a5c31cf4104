"""Leases: which process has claimed which rows, so that claims of a process that died are free at once.

A claim is a time in the row itself, after which another process may claim it again; that alone would make the work of
a killed process wait for that time. So each claim has a lease that names its holder, and the process that finds the
holder dead sets the time back. A lease whose claim was settled or taken over meanwhile changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.db import Database, Transaction, statement


@dataclass(frozen=True, kw_only=True)
class _Claims:
    """A table whose rows are claimed: SQL for a row still `held` under its lease, and to make it `free` at `?1`."""

    held: str
    free: str
    key: str = "id"


_NOUNS = {
    "job": _Claims(held="state = 'working'", free="claimed_at = 0"),
    "feed": _Claims(held="next_fetch_at = lease.until", free="next_fetch_at = ?1"),
    "mailbox": _Claims(held="next_poll_at = lease.until", free="next_poll_at = ?1"),
    "outbox": _Claims(held="state = 'sending' AND next_at = lease.until", free="next_at = ?1"),
    "notification": _Claims(held="state = 'sending' AND next_at = lease.until", free="next_at = ?1"),
    "message": _Claims(held="pending_at = lease.until", free="pending_at = ?1"),
    "post": _Claims(held="pending_at = lease.until", free="pending_at = ?1"),
    "learning": _Claims(held="done_at IS NULL", free="claimed_at = 0", key="subject_kind"),
    "rule_check": _Claims(held="n_alarms IS NULL", free="claimed_at = 0", key="rule_id"),
}


def hold(tx: Transaction, noun: str, noun_ids: Iterable[int | str], *, until: int) -> None:
    """Keep a lease of this process on each of these rows until a time."""
    rows = [(noun, noun_id, tx.holder, until) for noun_id in noun_ids]
    tx.execute_many("INSERT OR REPLACE INTO lease (noun, noun_id, holder, until) VALUES (?, ?, ?, ?)", rows)


def hold_claimed(tx: Transaction, noun: str, noun_id: int | str, *, until: int, n_claimed: int) -> bool:
    """Keep a lease where a claim has changed its row; returns True then."""
    if n_claimed:
        hold(tx, noun, [noun_id], until=until)
    return n_claimed > 0


def dead_holders(db: Database) -> list[str]:
    """Return the names of holders that have ended."""
    names = [row["holder"] for row in db.rows("SELECT DISTINCT holder FROM lease")]
    return [name for name in names if not db.holder.is_alive(name)]


def free(tx: Transaction, holder: str, *, now: int) -> int:
    """Free the claims of a holder; returns their number."""
    n_freed = 0
    for noun, one in _NOUNS.items():
        sql = statement(
            "UPDATE", noun, "SET", one.free, "FROM lease WHERE lease.holder = ?2 AND lease.noun = ?3 AND", _held(noun)
        )
        n_freed += tx.execute(sql, (now, holder, noun))
    tx.execute("DELETE FROM lease WHERE holder = ?", (holder,))
    return n_freed


def delete_settled(tx: Transaction) -> int:
    """Delete the leases of settled claims; returns their number."""
    n_deleted = 0
    for noun in _NOUNS:
        sql = statement(
            "DELETE FROM lease WHERE lease.noun = ? AND NOT EXISTS (SELECT 1 FROM", noun, "WHERE", _held(noun) + ")"
        )
        n_deleted += tx.execute(sql, (noun,))
    return n_deleted


def _held(noun: str) -> str:
    return f"{noun}.{_NOUNS[noun].key} = lease.noun_id AND {_NOUNS[noun].held}"
