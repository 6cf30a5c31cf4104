"""Rows of quarantine: each item once, with its raw form until it is filed after all or discarded."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict

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
    """The items that wait for a decision, newest first."""
    return paging.newest(db, table="quarantine_waiting", conditions=[], make=_item, limit=limit, after=after)


def of_mailbox(db: Reads, mailbox_id: int, *, limit: int) -> tuple[Quarantined, ...]:
    """The mails of a mailbox that wait for a decision, newest first."""
    rows = db.rows(
        "SELECT * FROM quarantine_waiting WHERE mailbox_id = ? ORDER BY id DESC LIMIT ?", (mailbox_id, limit)
    )
    return tuple(map(_item, rows))


def get(db: Reads, item_id: int) -> Quarantined:
    """The waiting item with this id; raises NotFound, also for an item that was filed or discarded."""
    row = db.row("SELECT * FROM quarantine_waiting WHERE id = ?", (item_id,))
    if row is None:
        raise NotFound(noun="quarantine", id=item_id)
    return _item(row)


def raw(db: Reads, item_id: int, *, most: int = LONGEST) -> bytes:
    """The raw form of an item as far as it is kept, at most `most` bytes; empty where none is kept."""
    found: bytes | None = db.value("SELECT substr(raw, 1, ?) FROM quarantine WHERE id = ?", (most, item_id))
    return found or b""


def n_bytes(db: Reads) -> int:
    """The size of all raw forms together, in bytes."""
    return int(db.value("SELECT coalesce(sum(length(raw)), 0) FROM quarantine"))


def insert(
    tx: Transaction,
    arrival: Arrival,
    *,
    key: str,
    kept: bytes | None,
    code: str,
    params: Mapping[str, object],
    at: int,
) -> int | None:
    """Keep an arrival with the `kept` part of its raw form; returns its id, None where it was kept before."""
    given = {name: value for name, value in asdict(arrival).items() if name not in ("place", "raw")}
    size = 0 if arrival.raw is None else len(arrival.raw)
    is_whole = kept is not None and len(kept) == size
    if tx.row("SELECT 1 FROM quarantine WHERE key = ?", (key,)) is not None:
        return None
    columns = {"code": code, "params": params, "at": at, "key": key, "raw": kept, "size": size, "is_whole": is_whole}
    return tx.insert("quarantine", given | columns)


def note_try(tx: Transaction, item_id: int, *, code: str, params: Mapping[str, object], at: int) -> None:
    """Write down that an item was tried again, and the reason of the failure."""
    tx.execute(
        "UPDATE quarantine SET n_tries = n_tries + 1, tried_at = ?, code = ?, params = ? WHERE id = ?",
        (at, code, params, item_id),
    )


def close(tx: Transaction, item_id: int, *, state: ItemState) -> bool:
    """End the wait of an item and delete its raw form; returns False for one that waited no longer.

    The row stays, so that the same item is not taken in again.
    """
    return (
        tx.execute("UPDATE quarantine SET state = ?, raw = NULL WHERE id = ? AND state = 'waiting'", (state, item_id))
        == 1
    )


def delete_with_address(tx: Transaction, address: str) -> int:
    """Delete the items whose raw form holds an address; returns their number."""
    return tx.execute(
        "DELETE FROM quarantine WHERE raw IS NOT NULL AND instr(lower(CAST(raw AS TEXT)), lower(?)) > 0", (address,)
    )
