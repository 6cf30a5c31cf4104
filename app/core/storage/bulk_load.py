"""Inserting rows by the thousand, with ids that the caller chose, for a generated history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlite_utils import Database as Tables

from app.core.db import Reads, Transaction, bindable, statement

Rows = Sequence[tuple[Any, ...]]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "customer": ("id", "name", "email", "tier"),
    "ticket": (
        "id", "subject", "channel", "status", "priority", "queue_id", "customer_id", "created_at", "updated_at",
        "assignee_id", "external_id", "intent_task", "intent", "intent_probability", "intent_band", "sentiment",
        "sentiment_score", "emotion", "needs_person", "language", "urgency", "urgency_parts", "risk", "sla",
        "refresh_at", "first_response_due_at", "resolution_due_at", "first_responded_at", "solved_at", "preview",
        "n_messages",
    ),
    "message": (
        "id", "ticket_id", "kind", "author_kind", "author_name", "user_id", "body", "occurred_at", "received_at",
        "language", "is_supported",
    ),
}  # fmt: skip


def add(tx: Transaction, table: str, rows: Rows) -> None:
    """Insert rows of values in the order of COLUMNS; triggers and indices follow as for any other row."""
    if rows:
        Tables(tx.connection).table(table).insert_all(
            [COLUMNS[table], *([bindable(value) for value in row] for row in rows)]
        )


def last_id(db: Reads, table: str) -> int:
    """Return the largest id of a table that COLUMNS names; 0 without rows."""
    if table not in COLUMNS:
        raise ValueError(table)
    return int(db.value(statement("SELECT coalesce(max(id), 0) FROM", table)))


def optimize(db: Reads) -> None:
    """Gather statistics for the planner, merge the full-text index into one part, and empty the write-ahead log."""
    tables = Tables(db.connection)
    tables.table("message_search").optimize()
    tables.analyze()
    db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
