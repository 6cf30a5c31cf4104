"""Receivers: where notifications go."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built
from app.notify.domain.notification import Receiver


def _receiver(row: sqlite3.Row) -> Receiver:
    return built(Receiver, row, tuples=("verbs", "matchers"), flags=("is_active",))


def get(db: Reads, receiver_id: int) -> Receiver:
    """The receiver with this id; raises NotFound."""
    return _receiver(db.got("receiver", receiver_id))


def every(db: Reads) -> tuple[Receiver, ...]:
    """Receivers by name."""
    return tuple(_receiver(row) for row in db.rows("SELECT * FROM receiver ORDER BY name, id"))


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Add a receiver with these columns; returns its id."""
    return tx.insert("receiver", values)


def update(tx: Transaction, receiver_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Receiver:
    """Change a receiver; raises NotFound or Stale."""
    tx.change("receiver", receiver_id, changes=changes, version=version)
    return get(tx, receiver_id)


def note_digest(tx: Transaction, receiver_id: int, *, at: int) -> None:
    """Write down until when a receiver's digests reach; that is no edit, so the version stays."""
    tx.execute("UPDATE receiver SET digested_at = ? WHERE id = ?", (at, receiver_id))


def delete(tx: Transaction, receiver_id: int) -> None:
    """Remove a receiver and what it was told."""
    tx.execute("DELETE FROM receiver WHERE id = ?", (receiver_id,))
