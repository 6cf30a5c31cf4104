"""Deployments: the artifact in each slot, since when and by whom."""

from __future__ import annotations

from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built
from app.model.domain import Deployment


def current(db: Reads, *, slot: str = "live") -> Deployment | None:
    """Return the newest row of a slot, or None."""
    row = db.row("SELECT * FROM deployment WHERE slot = ? ORDER BY id DESC LIMIT 1", (slot,))
    return None if row is None else built(Deployment, row)


def every(db: Reads, *, limit: int = 50) -> tuple[Deployment, ...]:
    """Return rows, newest first."""
    return tuple(
        built(Deployment, row) for row in db.rows("SELECT * FROM deployment ORDER BY id DESC LIMIT ?", (limit,))
    )


def insert(tx: Transaction, *, model: str, slot: str, at: int, actor_id: str) -> int:
    """Put an artifact into a slot, or an empty name to empty it; return the id of the row."""
    return tx.insert("deployment", {"model": model, "slot": slot, "at": at, "actor_id": actor_id})
