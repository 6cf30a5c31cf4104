"""The alerts that each notification tells of: every notice of an alert goes to a receiver only once."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.db import Reads, Transaction
from app.core.scope import listed
from app.notify.domain.notification import Notice


def known_keys(db: Reads, alert_ids: Iterable[int]) -> frozenset[str]:
    """Return the keys of every notice of these alerts that was queued."""
    rows = db.rows("SELECT key FROM telling WHERE alert_id IN (SELECT value FROM json_each(?))", (listed(alert_ids),))
    return frozenset(row["key"] for row in rows)


def insert(tx: Transaction, notice: Notice, *, alert_id: int, notification_id: int, at: int) -> None:
    """Write down that a notification carries a notice of an alert."""
    tx.execute(
        "INSERT OR IGNORE INTO telling (key, alert_id, notification_id, kind, at) VALUES (?, ?, ?, ?, ?)",
        (notice.key, alert_id, notification_id, notice.kind, at),
    )


def of_alert(db: Reads, alert_id: int) -> tuple[int, ...]:
    """Return the notifications that tell of an alert, oldest first."""
    rows = db.rows("SELECT DISTINCT notification_id FROM telling WHERE alert_id = ? ORDER BY 1", (alert_id,))
    return tuple(row["notification_id"] for row in rows)
