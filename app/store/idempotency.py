"""Idempotency keys: the same request asked twice is done once and answered alike for a day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import Conflict, InputError
from app.store.db import Transaction


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An answer that was given before."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def begin(tx: Transaction, *, actor: str, key: str, fingerprint: str, at: int) -> Kept | None:
    """None: the key is new and now taken. Otherwise the answer given before.

    Raises InputError `idempotency_key_reused` for another request under the same key, Conflict
    `idempotency_in_progress` while the first one is still being answered.
    """
    taken = tx.execute(
        "INSERT OR IGNORE INTO idempotency (actor, key, fingerprint, created_at) VALUES (?, ?, ?, ?)",
        (actor, key, fingerprint, at),
    )
    if taken:
        return None
    row = tx.row("SELECT * FROM idempotency WHERE actor = ? AND key = ?", (actor, key))
    if row is None or row["fingerprint"] != fingerprint:
        raise InputError("idempotency_key_reused", key=key)
    if row["status"] is None:
        raise Conflict("idempotency_in_progress", key=key)
    return Kept(status=row["status"], headers=json.loads(row["headers"] or "{}"), body=row["body"] or b"")


def finish(tx: Transaction, *, actor: str, key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep the answer of a key."""
    tx.execute(
        "UPDATE idempotency SET status = ?, headers = ?, body = ? WHERE actor = ? AND key = ?",
        (status, dict(headers), body, actor, key),
    )


def forget(tx: Transaction, *, actor: str, key: str) -> None:
    """Give a key back after its request failed."""
    tx.execute("DELETE FROM idempotency WHERE actor = ? AND key = ? AND status IS NULL", (actor, key))


def expire(tx: Transaction, *, before: int) -> int:
    """Drop keys older than a time; how many."""
    return tx.execute("DELETE FROM idempotency WHERE created_at < ?", (before,))
