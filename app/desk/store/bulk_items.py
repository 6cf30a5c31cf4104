"""The tickets of a bulk job with their outcomes: a job whose worker was killed goes on from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.db import Reads, Transaction


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The number of tickets of a job, and of those that are done or failed."""

    n_total: int = 0
    n_done: int = 0
    n_failed: int = 0


def add(tx: Transaction, job_id: int, *, ticket_ids: Iterable[int]) -> None:
    """Put tickets on a job's list, once each."""
    tx.execute_many(
        "INSERT OR IGNORE INTO bulk_item (job_id, ticket_id) VALUES (?, ?)", [(job_id, one) for one in ticket_ids]
    )


def add_changed(tx: Transaction, job_id: int, *, of_job: int, after: int, limit: int) -> int:
    """Put tickets that another job changed on this one's list; the last of them, or 0."""
    rows = tx.rows(
        "SELECT ticket_id FROM bulk_item WHERE job_id = ? AND ticket_id > ? AND event_id IS NOT NULL "
        "ORDER BY ticket_id LIMIT ?",
        (of_job, after, limit),
    )
    add(tx, job_id, ticket_ids=[row[0] for row in rows])
    return rows[-1][0] if rows else 0


def waiting(db: Reads, job_id: int, *, after: int, limit: int) -> list[int]:
    """Tickets of a job that nothing was done to yet, rising."""
    rows = db.rows(
        "SELECT ticket_id FROM bulk_item WHERE job_id = ? AND ticket_id > ? AND state = 0 ORDER BY ticket_id LIMIT ?",
        (job_id, after, limit),
    )
    return [row[0] for row in rows]


def settle(tx: Transaction, job_id: int, *, done: Sequence[tuple[int, int | None]], failed: Iterable[int]) -> None:
    """Write down tickets that are done, with their event where they changed, and those that failed."""
    tx.execute_many(
        "UPDATE bulk_item SET state = 1, event_id = ? WHERE job_id = ? AND ticket_id = ?",
        [(event_id, job_id, ticket_id) for ticket_id, event_id in done],
    )
    tx.execute_many(
        "UPDATE bulk_item SET state = 2 WHERE job_id = ? AND ticket_id = ?",
        [(job_id, ticket_id) for ticket_id in failed],
    )


def events_of(db: Reads, job_id: int, *, ticket_ids: Sequence[int]) -> dict[int, int]:
    """The events by which a job changed tickets, by ticket."""
    rows = db.rows(
        "SELECT ticket_id, event_id FROM bulk_item WHERE job_id = ? AND event_id IS NOT NULL "
        "AND ticket_id BETWEEN ? AND ?",
        (job_id, min(ticket_ids, default=0), max(ticket_ids, default=0)),
    )
    return {row[0]: row[1] for row in rows}


def tally(db: Reads, job_id: int) -> Tally:
    """The progress of a job's list."""
    rows = db.rows("SELECT state, count(*) AS n FROM bulk_item WHERE job_id = ? GROUP BY state", (job_id,))
    by_state = {row["state"]: row["n"] for row in rows}
    return Tally(n_total=sum(by_state.values()), n_done=by_state.get(1, 0), n_failed=by_state.get(2, 0))


def n_changed(db: Reads, job_id: int) -> int:
    """The number of tickets that a job changed."""
    return int(db.value("SELECT count(*) FROM bulk_item WHERE job_id = ? AND event_id IS NOT NULL", (job_id,)))
