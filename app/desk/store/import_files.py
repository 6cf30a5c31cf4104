"""Exports of other desks that were handed in, with the columns that people chose for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from app.core.db import Reads, Transaction, assignments, statement
from app.core.storage import blobs
from app.core.storage.row_mapping import built
from app.desk.domain.import_file import TicketFile
from app.desk.store.tickets import erased_id


def _file(row: sqlite3.Row) -> TicketFile:
    return built(TicketFile, row, mappings=("mapping",), tuples=("columns", "sample"))


def get(db: Reads, file_id: int) -> TicketFile:
    """The file with this id; raises NotFound."""
    return _file(db.got("ticket_file", file_id))


def latest(db: Reads, *, limit: int) -> tuple[TicketFile, ...]:
    """The files handed in last, newest first."""
    return tuple(_file(row) for row in db.rows("SELECT * FROM ticket_file ORDER BY id DESC LIMIT ?", (limit,)))


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Keep a file; returns its id."""
    return tx.insert("ticket_file", values)


def update(tx: Transaction, file_id: int, *, changes: Mapping[str, Any]) -> TicketFile:
    """Change what is known of a file."""
    tx.execute(statement("UPDATE ticket_file SET", assignments(changes), "WHERE id = ?"), (*changes.values(), file_id))
    return get(tx, file_id)


def forget(tx: Transaction, file_id: int) -> None:
    """Let go of what a file holds; that it was there stays."""
    sha256 = get(tx, file_id).sha256
    tx.execute("UPDATE ticket_file SET sha256 = NULL, sample = '[]' WHERE id = ?", (file_id,))
    if sha256 is not None:
        blobs.drop(tx, sha256)


def left_over(db: Reads, *, before: int) -> list[int]:
    """Files handed in before a time whose bytes are still kept."""
    rows = db.rows("SELECT id FROM ticket_file WHERE sha256 IS NOT NULL AND created_at < ?", (before,))
    return [row["id"] for row in rows]


def known(db: Reads, external_id: str) -> bool:
    """Whether a ticket has this external id, or had it before it was erased."""
    ids = (external_id, erased_id(external_id))
    return db.row("SELECT 1 FROM ticket WHERE external_id IN (?, ?)", ids) is not None
