"""Receivers: where notifications go."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built
from app.notify.domain.notification import Receiver


def as_receiver(row: sqlite3.Row) -> Receiver:
    """Return a receiver from its row."""
    return built(Receiver, row, tuples=("verbs", "matchers"), flags=("is_active",))


def get(db: Reads, receiver_id: int) -> Receiver:
    """Return the receiver with this id; raise NotFound."""
    return as_receiver(db.got("receiver", receiver_id))


def every(db: Reads) -> tuple[Receiver, ...]:
    """Return every receiver, by name."""
    return tuple(as_receiver(row) for row in db.rows("SELECT * FROM receiver ORDER BY name, id"))


def note_digest(tx: Transaction, receiver_id: int, *, at: int) -> None:
    """Write down until when a receiver's digests reach; that is no edit, so the version stays."""
    tx.execute("UPDATE receiver SET digested_at = ? WHERE id = ?", (at, receiver_id))
