"""Silences: who is not told, about what, until when, and why."""

from __future__ import annotations

from app.alerts.domain.alert import Silence
from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built


def get(db: Reads, silence_id: int) -> Silence:
    """The silence with this id; raises NotFound."""
    return built(Silence, db.got("silence", silence_id))


def every(db: Reads, *, at: int | None = None) -> tuple[Silence, ...]:
    """Silences, newest first; those in force at a time where given."""
    if at is None:
        rows = db.rows("SELECT * FROM silence ORDER BY id DESC LIMIT 500")
    else:
        rows = db.rows("SELECT * FROM silence WHERE since <= ? AND until > ? ORDER BY id DESC", (at, at))
    return tuple(built(Silence, row) for row in rows)


def insert(
    tx: Transaction,
    *,
    subject_kind: str | None,
    subject_id: str | None,
    since: int,
    until: int,
    user_id: int,
    comment: str,
) -> int:
    """Add a silence; returns its id."""
    return tx.insert(
        "silence",
        {
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "since": since,
            "until": until,
            "user_id": user_id,
            "comment": comment,
        },
    )


def end(tx: Transaction, silence_id: int, *, at: int) -> bool:
    """End a silence early; whether it was still in force."""
    return tx.execute("UPDATE silence SET until = ? WHERE id = ? AND until > ?", (at, silence_id, at)) == 1
