"""What another system calls a ticket is no longer unique: each team may know one by the same id.

The ticket's columns are copied as they stand, whichever those are; only the constraint goes.
"""

from __future__ import annotations

import sqlite3
from functools import partial

from app.core.db import marks, statement
from app.core.schema.table_rebuild import Rebuilt, Rows

_UNIQUE, _PLAIN = "external_id TEXT UNIQUE", "external_id TEXT"
_HEAD = ("CREATE TABLE ticket ", 'CREATE TABLE "ticket" ')
_SQL = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"


def external_ids(connection: sqlite3.Connection) -> Rebuilt:
    """The table of tickets without that constraint."""
    columns = [row[0] for row in connection.execute("SELECT name FROM pragma_table_info('ticket')")]
    create = str(connection.execute(_SQL, ("ticket",)).fetchone()[0]).replace(_UNIQUE, _PLAIN, 1)
    for head in _HEAD:
        create = create.replace(head, "CREATE TABLE ticket_copy ", 1)
    return Rebuilt(
        table="ticket",
        is_made=_is_made,
        create=create,
        read=", ".join(columns),
        copy=partial(_copy, columns=columns),
        finish=("CREATE INDEX ticket_external ON ticket (external_id) WHERE external_id IS NOT NULL",),
    )


def _is_made(connection: sqlite3.Connection, table: str) -> bool:
    found = connection.execute(_SQL, (table,)).fetchone()
    return found is not None and _UNIQUE not in found[0]


def _copy(connection: sqlite3.Connection, rows: Rows, *, columns: list[str]) -> None:
    sql = statement("INSERT INTO ticket_copy (", ", ".join(columns), ") VALUES", marks(columns))
    connection.executemany(sql, rows)
