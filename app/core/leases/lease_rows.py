"""Leases: which process has claimed what, so that claims of a process that died are free at once.

A claim is a time in the row itself, after which anybody may claim it again; that alone would let the work of a killed
process wait for its end. So whoever claims something is noted here, and who notices that a holder is dead sets the time
of its claims back. A note of a claim that was settled or taken over meanwhile changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.db import Database, Transaction, statement


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    """A table whose rows are claimed: when one is still `held` under its lease, and what makes it `free` at `?1`."""

    held: str
    free: str
    key: str = "id"


_NOUNS = {
    "job": _Claimed(held="state = 'working'", free="claimed_at = 0"),
    "feed": _Claimed(held="next_fetch_at = lease.until", free="next_fetch_at = ?1"),
    "mailbox": _Claimed(held="next_poll_at = lease.until", free="next_poll_at = ?1"),
    "outbox": _Claimed(held="state = 'sending' AND next_at = lease.until", free="next_at = ?1"),
    "notification": _Claimed(held="state = 'sending' AND next_at = lease.until", free="next_at = ?1"),
    "message": _Claimed(held="pending_at = lease.until", free="pending_at = ?1"),
    "post": _Claimed(held="pending_at = lease.until", free="pending_at = ?1"),
    "learning": _Claimed(held="done_at IS NULL", free="claimed_at = 0", key="subject_kind"),
    "rule_check": _Claimed(held="n_alarms IS NULL", free="claimed_at = 0", key="rule_id"),
}


def hold(tx: Transaction, noun: str, noun_ids: Iterable[int | str], *, until: int) -> None:
    """Note that this process has claimed these, until a time."""
    rows = [(noun, noun_id, tx.holder, until) for noun_id in noun_ids]
    tx.execute_many("INSERT OR REPLACE INTO lease (noun, noun_id, holder, until) VALUES (?, ?, ?, ?)", rows)


def taken(tx: Transaction, noun: str, noun_id: int | str, *, until: int, n_claimed: int) -> bool:
    """Whether a claim changed a row; if so it is noted."""
    if n_claimed:
        hold(tx, noun, [noun_id], until=until)
    return n_claimed > 0


def dead_holders(db: Database) -> list[str]:
    """The processes that hold something and do not run any more."""
    names = [row["holder"] for row in db.rows("SELECT DISTINCT holder FROM lease")]
    return [name for name in names if not db.holder.is_alive(name)]


def free(tx: Transaction, holder: str, *, now: int) -> int:
    """Let go what a process held; how much that was."""
    n_freed = 0
    for noun, one in _NOUNS.items():
        sql = statement(
            "UPDATE", noun, "SET", one.free, "FROM lease WHERE lease.holder = ?2 AND lease.noun = ?3 AND", _meets(noun)
        )
        n_freed += tx.execute(sql, (now, holder, noun))
    tx.execute("DELETE FROM lease WHERE holder = ?", (holder,))
    return n_freed


def forget(tx: Transaction) -> int:
    """Drop the notes of claims that were settled; how many."""
    n_forgotten = 0
    for noun in _NOUNS:
        sql = statement(
            "DELETE FROM lease WHERE lease.noun = ? AND NOT EXISTS (SELECT 1 FROM", noun, "WHERE", _meets(noun) + ")"
        )
        n_forgotten += tx.execute(sql, (noun,))
    return n_forgotten


def _meets(noun: str) -> str:
    return f"{noun}.{_NOUNS[noun].key} = lease.noun_id AND {_NOUNS[noun].held}"
