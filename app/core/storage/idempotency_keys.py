"""Idempotency keys: the same request asked twice is done once and answered alike for a day.

A key stands here only with its answer. Both are written in the transaction of the work, so no key outlives a process
that was killed before it had done what it was asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.db import Reads, Transaction
from app.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An answer that was given before."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def find(db: Reads, *, actor: str, key: str, fingerprint: str) -> Kept | None:
    """The answer given before; None: the key is new.

    Raises InputError `idempotency_key_reused` for another request under the same key.
    """
    row = db.row("SELECT * FROM idempotency WHERE actor = ? AND key = ?", (actor, key))
    if row is None:
        return None
    if row["fingerprint"] != fingerprint:
        raise InputError("idempotency_key_reused", key=key)
    return Kept(status=row["status"], headers=json.loads(row["headers"]), body=row["body"])


def keep(tx: Transaction, answer: Kept, *, actor: str, key: str, fingerprint: str, at: int) -> None:
    """Keep the answer of a key, unless it has one."""
    tx.execute(
        "INSERT OR IGNORE INTO idempotency (actor, key, fingerprint, status, headers, body, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (actor, key, fingerprint, answer.status, dict(answer.headers), answer.body, at),
    )


def expire(tx: Transaction, *, before: int) -> int:
    """Drop keys older than a time; how many."""
    return tx.execute("DELETE FROM idempotency WHERE created_at < ?", (before,))
