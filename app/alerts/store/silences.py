"""Silences: who is not told, about what, until when, and why."""

from __future__ import annotations

import sqlite3

from app.alerts.domain.alert import Silence
from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built


def as_silence(row: sqlite3.Row) -> Silence:
    """Return a silence from its row."""
    return built(Silence, row)


def every(db: Reads, *, at: int) -> tuple[Silence, ...]:
    """Return the silences in force at a time (ms UTC), newest first."""
    rows = db.rows("SELECT * FROM silence WHERE since <= ? AND until > ? ORDER BY id DESC", (at, at))
    return tuple(as_silence(row) for row in rows)


def end(tx: Transaction, silence_id: int, *, at: int) -> bool:
    """End a silence early; return False for one that was over."""
    return tx.execute("UPDATE silence SET until = ? WHERE id = ? AND until > ?", (at, silence_id, at)) == 1
