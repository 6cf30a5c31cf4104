"""SLA policies, and which of them holds for a queue."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built
from app.desk.domain.sla_policy import SlaPolicy


def as_policy(row: sqlite3.Row) -> SlaPolicy:
    """A policy out of its row."""
    made = built(SlaPolicy, row, tuples=("hours", "holidays"), flags=("is_default",))
    hours = tuple((int(day), int(opens), int(closes)) for day, opens, closes in made.hours)
    return built(SlaPolicy, row, tuples=("holidays",), flags=("is_default",), hours=hours)


def get(db: Reads, policy_id: int) -> SlaPolicy:
    """The policy with this id; raises NotFound."""
    return as_policy(db.got("sla_policy", policy_id))


def every(db: Reads) -> tuple[SlaPolicy, ...]:
    """Policies by name."""
    return tuple(as_policy(row) for row in db.rows("SELECT * FROM sla_policy ORDER BY name"))


def of_queue(db: Reads, queue_id: int) -> SlaPolicy:
    """The policy of a queue, else the default one, else eight hours and two days around the clock."""
    row = db.row(
        "SELECT sla_policy.* FROM sla_policy LEFT JOIN queue ON queue.id = ? "
        "WHERE sla_policy.id = queue.sla_policy_id OR is_default = 1 "
        "ORDER BY sla_policy.id = coalesce(queue.sla_policy_id, 0) DESC LIMIT 1",
        (queue_id,),
    )
    return SlaPolicy() if row is None else as_policy(row)


def default(db: Reads) -> SlaPolicy | None:
    """The policy of queues that name none."""
    row = db.row("SELECT * FROM sla_policy WHERE is_default = 1")
    return None if row is None else as_policy(row)


def add_default(tx: Transaction, *, first_response_ms: int, resolution_ms: int) -> None:
    """Add the policy of queues that name none."""
    times = {"first_response_ms": first_response_ms, "resolution_ms": resolution_ms}
    tx.insert("sla_policy", {"name": "Default", "is_default": True, **times})


def set_hours(tx: Transaction, policy_id: int, *, first_response_ms: int, resolution_ms: int) -> None:
    """Follow the settings; that is no edit, so the version stays."""
    tx.execute(
        "UPDATE sla_policy SET first_response_ms = ?, resolution_ms = ? WHERE id = ?",
        (first_response_ms, resolution_ms, policy_id),
    )
