"""Notifications: written with the change that they tell of, claimed by one worker, kept until delivered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from app.core import paging
from app.core.db import Reads, Transaction
from app.core.leases import lease_rows
from app.core.paging import Page
from app.core.scope import Condition, listed
from app.core.storage.row_mapping import built
from app.notify.domain.notification import Delivery, Notification


def _notification(row: sqlite3.Row) -> Notification:
    return built(Notification, row, mappings=("body",))


def get(db: Reads, notification_id: int) -> Notification:
    """Return the notification with this id; raise NotFound."""
    return _notification(db.got("notification", notification_id))


def page(
    db: Reads,
    *,
    receiver_id: int | None = None,
    state: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[Notification]:
    """Return notifications, newest first."""
    conditions: list[Condition] = []
    if receiver_id is not None:
        conditions.append(("receiver_id = ?", [receiver_id]))
    if state is not None:
        conditions.append(("state = ?", [state]))
    return paging.newest(db, table="notification", conditions=conditions, make=_notification, limit=limit, after=after)


def attempts(db: Reads, notification_id: int) -> tuple[Delivery, ...]:
    """Return the attempts to deliver a notification, oldest first."""
    rows = db.rows("SELECT * FROM attempt WHERE notification_id = ? ORDER BY id", (notification_id,))
    return tuple(built(Delivery, row, flags=("is_delivered",)) for row in rows)


def counts(db: Reads) -> dict[str, int]:
    """Return the number of notifications by state."""
    return {row["state"]: row["n"] for row in db.rows("SELECT state, count(*) AS n FROM notification GROUP BY state")}


def insert(
    tx: Transaction,
    *,
    receiver_id: int,
    verb: str,
    noun: str,
    noun_id: int,
    dedup_key: str,
    body: Mapping[str, Any],
    at: int,
    send_at: int | None = None,
    group_key: str | None = None,
) -> int | None:
    """Queue a notification and return its id, or None where its key is known: it goes out only once.

    It goes out at `send_at`; until then others of its `group_key` may join it.
    """
    n_new = tx.execute(
        "INSERT OR IGNORE INTO notification "
        "(receiver_id, verb, noun, noun_id, dedup_key, body, next_at, created_at, group_key) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (receiver_id, verb, noun, noun_id, dedup_key, body, at if send_at is None else send_at, at, group_key),
    )
    return int(tx.value("SELECT last_insert_rowid()")) if n_new else None


def collecting(db: Reads, *, receiver_id: int, group_key: str) -> Notification | None:
    """Return the notification of a group that nobody has tried to send yet."""
    row = db.row(
        "SELECT * FROM notification WHERE receiver_id = ? AND group_key = ? AND state = 'queued' AND n_attempts = 0 "
        "ORDER BY id LIMIT 1",
        (receiver_id, group_key),
    )
    return None if row is None else _notification(row)


def rewrite(tx: Transaction, notification_id: int, *, body: Mapping[str, Any]) -> None:
    """Change the body of a notification that nobody has tried to send yet."""
    tx.execute("UPDATE notification SET body = ? WHERE id = ?", (body, notification_id))


def earlier_of_alerts(db: Reads, notification: Notification) -> int | None:
    """Return when an earlier notification of the same alerts to the same receiver is tried next; None: all are sent."""
    found: int | None = db.value(
        "SELECT max(other.next_at) FROM telling AS mine JOIN telling AS theirs ON theirs.alert_id = mine.alert_id "
        "JOIN notification AS other ON other.id = theirs.notification_id WHERE mine.notification_id = ? "
        "AND other.receiver_id = ? AND other.id < ? AND other.state IN ('queued', 'sending')",
        (notification.id, notification.receiver_id, notification.id),
    )
    return found


def put_off(tx: Transaction, notification_id: int, *, until: int) -> None:
    """Give a claimed notification back without an attempt."""
    tx.execute(
        "UPDATE notification SET state = 'queued', next_at = ?, n_attempts = n_attempts - 1 WHERE id = ?",
        (until, notification_id),
    )


def of_ids(db: Reads, notification_ids: Iterable[int]) -> tuple[Notification, ...]:
    """Return these notifications, oldest first."""
    rows = db.rows(
        "SELECT * FROM notification WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (listed(notification_ids),),
    )
    return tuple(_notification(row) for row in rows)


def due(db: Reads, *, now: int, limit: int, is_first: bool | None = None) -> tuple[Notification, ...]:
    """Return the notifications whose next attempt is due, and those that a worker took and never finished.

    `is_first`: True gives only those that were never tried, False only the others.
    """
    rows = db.rows(
        "SELECT * FROM notification WHERE state IN ('queued', 'sending') AND next_at <= ? "
        "AND (n_attempts = 0) = coalesce(?, n_attempts = 0) ORDER BY next_at, id LIMIT ?",
        (now, is_first, limit),
    )
    return tuple(_notification(row) for row in rows)


def claim(tx: Transaction, notification_id: int, *, now: int, until: int) -> bool:
    """Take a notification until a time, after which another may; return False where another has it."""
    n_claimed = tx.execute(
        "UPDATE notification SET state = 'sending', claimed_at = ?, next_at = ?, n_attempts = n_attempts + 1 "
        "WHERE id = ? AND state IN ('queued', 'sending') AND next_at <= ?",
        (now, until, notification_id, now),
    )
    return lease_rows.hold_claimed(tx, "notification", notification_id, until=until, n_claimed=n_claimed)


def settle(
    tx: Transaction, notification_id: int, *, at: int, is_delivered: bool, error: str | None, next_at: int | None
) -> None:
    """Write an attempt down: delivered, failed, or to be tried again at `next_at`."""
    tx.insert("attempt", {"notification_id": notification_id, "at": at, "is_delivered": is_delivered, "error": error})
    state = "queued" if next_at is not None else "sent" if is_delivered else "failed"
    tx.execute(
        "UPDATE notification SET state = ?, last_error = ?, next_at = coalesce(?, next_at), "
        "sent_at = coalesce(?, sent_at) WHERE id = ?",
        (state, error, next_at, at if is_delivered else None, notification_id),
    )


def send_again(tx: Transaction, notification_id: int, *, at: int) -> bool:
    """Queue a sent or failed notification once more; return False for one in any other state."""
    return (
        tx.execute(
            "UPDATE notification SET state = 'queued', n_attempts = 0, next_at = ? "
            "WHERE id = ? AND state IN ('sent', 'failed')",
            (at, notification_id),
        )
        == 1
    )
