"""Tellings: which receiver was, or is to be, told what of an alert, each only once."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.db import Reads, Transaction
from app.core.scope import listed


def known(db: Reads, alert_ids: Iterable[int]) -> frozenset[str]:
    """The keys of everything that receivers are told of these alerts."""
    rows = db.rows("SELECT key FROM telling WHERE alert_id IN (SELECT value FROM json_each(?))", (listed(alert_ids),))
    return frozenset(row["key"] for row in rows)


def insert(tx: Transaction, *, key: str, alert_id: int, notification_id: int, kind: str, at: int) -> None:
    """Remember that a notification tells of an alert."""
    tx.execute(
        "INSERT OR IGNORE INTO telling (key, alert_id, notification_id, kind, at) VALUES (?, ?, ?, ?, ?)",
        (key, alert_id, notification_id, kind, at),
    )


def of_alert(db: Reads, alert_id: int) -> tuple[int, ...]:
    """The notifications that tell of an alert, oldest first."""
    rows = db.rows("SELECT DISTINCT notification_id FROM telling WHERE alert_id = ? ORDER BY 1", (alert_id,))
    return tuple(row["notification_id"] for row in rows)
