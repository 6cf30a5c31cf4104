"""Idempotency keys: a request that is sent twice within a day is done once and gets the same answer.

A key is kept only with its answer, in the transaction of the work, so no key survives a process that was killed before
its work was done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.db import Reads, Transaction
from app.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class KeptAnswer:
    """An answer that was kept."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def find(db: Reads, *, actor: str, key: str, fingerprint: str) -> KeptAnswer | None:
    """Return the answer of a key; None for a new key.

    Raises InputError `idempotency_key_reused` for another request under the same key.
    """
    row = db.row("SELECT * FROM idempotency WHERE actor = ? AND key = ?", (actor, key))
    if row is None:
        return None
    if row["fingerprint"] != fingerprint:
        raise InputError("idempotency_key_reused", key=key)
    return KeptAnswer(status=row["status"], headers=json.loads(row["headers"]), body=row["body"])


def keep(tx: Transaction, answer: KeptAnswer, *, actor: str, key: str, fingerprint: str, at: int) -> None:
    """Keep the answer of a key that has none."""
    tx.execute(
        "INSERT OR IGNORE INTO idempotency (actor, key, fingerprint, status, headers, body, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (actor, key, fingerprint, answer.status, dict(answer.headers), answer.body, at),
    )


def expire(tx: Transaction, *, before: int) -> int:
    """Delete keys older than a time; returns their number."""
    return tx.execute("DELETE FROM idempotency WHERE created_at < ?", (before,))
