"""Exports of other desks that were handed in, with the columns that people chose for them."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace

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


def insert(tx: Transaction, file: TicketFile) -> TicketFile:
    """Keep a file; return it with its number."""
    return replace(file, id=tx.insert("ticket_file", _columns(file)))


def write(tx: Transaction, file: TicketFile) -> TicketFile:
    """Write what is known of a file."""
    columns = _columns(file)
    tx.execute(statement("UPDATE ticket_file SET", assignments(columns), "WHERE id = ?"), (*columns.values(), file.id))
    return file


def _columns(file: TicketFile) -> dict[str, object]:
    return {one.name: getattr(file, one.name) for one in fields(TicketFile) if one.name != "id"}


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
    """True for the external id of a ticket, erased or not."""
    ids = (external_id, erased_id(external_id))
    return db.row("SELECT 1 FROM ticket WHERE external_id IN (?, ?)", ids) is not None
