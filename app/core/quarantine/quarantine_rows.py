"""What could not be filed: kept once, with its raw form, until it is filed after all or discarded."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.core import paging
from app.core.db import Reads, Transaction
from app.core.errors import NotFound
from app.core.paging import Page
from app.core.quarantine.arrival import Arrival, ItemState, Quarantined
from app.core.storage.row_mapping import built

LONGEST = 1_000_000_000
"""Bytes that SQLite keeps in one value."""


def _item(row: sqlite3.Row) -> Quarantined:
    return built(Quarantined, row, mappings=("params",), flags=("is_whole",))


def page(db: Reads, *, limit: int, after: str | None = None) -> Page[Quarantined]:
    """What waits for a decision, newest first."""
    return paging.newest(db, table="quarantine_waiting", conditions=[], make=_item, limit=limit, after=after)


def of_mailbox(db: Reads, mailbox_id: int, *, limit: int) -> tuple[Quarantined, ...]:
    """Mail of a mailbox that waits for a decision, newest first."""
    rows = db.rows(
        "SELECT * FROM quarantine_waiting WHERE mailbox_id = ? ORDER BY id DESC LIMIT ?", (mailbox_id, limit)
    )
    return tuple(map(_item, rows))


def get(db: Reads, item_id: int) -> Quarantined:
    """What waits under this id; raises NotFound for what was filed or discarded too."""
    row = db.row("SELECT * FROM quarantine_waiting WHERE id = ?", (item_id,))
    if row is None:
        raise NotFound(noun="quarantine", id=item_id)
    return _item(row)


def raw(db: Reads, item_id: int, *, most: int = LONGEST) -> bytes:
    """The raw form as far as it is kept, or its first bytes; empty where it is not."""
    found: bytes | None = db.value("SELECT substr(raw, 1, ?) FROM quarantine WHERE id = ?", (most, item_id))
    return found or b""


def n_bytes(db: Reads) -> int:
    """How much is kept of raw forms in all, in bytes."""
    return int(db.value("SELECT coalesce(sum(length(raw)), 0) FROM quarantine"))


def insert(tx: Transaction, arrival: Arrival, *, key: str, kept: bytes | None, why: Mapping[str, Any]) -> int | None:
    """Keep an arrival with so much of its raw form; None where it was kept before. `why` holds code, params and at."""
    given = {name: value for name, value in asdict(arrival).items() if name not in ("place", "raw")}
    size = 0 if arrival.raw is None else len(arrival.raw)
    is_whole = kept is not None and len(kept) == size
    if tx.row("SELECT 1 FROM quarantine WHERE key = ?", (key,)) is not None:
        return None
    return tx.insert("quarantine", {**given, **why, "key": key, "raw": kept, "size": size, "is_whole": is_whole})


def note_try(tx: Transaction, item_id: int, *, code: str, params: Mapping[str, Any], at: int) -> None:
    """Write down that an item was tried again, and why that failed."""
    tx.execute(
        "UPDATE quarantine SET n_tries = n_tries + 1, tried_at = ?, code = ?, params = ? WHERE id = ?",
        (at, code, params, item_id),
    )


def close(tx: Transaction, item_id: int, *, state: ItemState) -> bool:
    """Let an item go, raw form included; that it was here stays, so that it does not come again. Whether it waited."""
    return (
        tx.execute("UPDATE quarantine SET state = ?, raw = NULL WHERE id = ? AND state = 'waiting'", (state, item_id))
        == 1
    )


def forget_sender(tx: Transaction, address: str) -> int:
    """Let go of everything in which an address stands; how many items."""
    return tx.execute(
        "DELETE FROM quarantine WHERE raw IS NOT NULL AND instr(lower(CAST(raw AS TEXT)), lower(?)) > 0", (address,)
    )
