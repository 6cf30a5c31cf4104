"""A large table gets another shape: copied in pieces that are committed, so that a cut upgrade goes on where it was.

SQLite cannot change the columns of a table in place. The copy grows beside the table, in the order of the ids; the last
transaction puts it in the table's place. Two processes that start together copy in turns.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core.db import statement

PIECE = 5000
PATIENCE_MS = 600_000

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """How a table is made anew: `is_made` tells the new one from the old, `create` names it `copied`.

    `copy` writes old rows (the columns `read`) into the copy; `drop` takes away what would no longer fit, before the
    copy takes the table's place, and `finish` makes indices, triggers and views after that.
    """

    table: str
    is_made: Callable[[sqlite3.Connection, str], bool]
    create: str
    read: str
    copy: Callable[[sqlite3.Connection, Rows], None]
    drop: Sequence[str] = ()
    finish: Sequence[str] = ()

    @property
    def copied(self) -> str:
        """The name of the copy."""
        return self.table + "_copy"


def rebuild(connection: sqlite3.Connection, made: Rebuilt) -> None:
    """Bring a table into its new shape; nothing happens to one that has it already."""
    with _unchecked(connection):
        while _piece(connection, made):
            pass


def _piece(connection: sqlite3.Connection, made: Rebuilt) -> bool:
    """One transaction; whether there is more to do."""
    with _transaction(connection):
        if made.is_made(connection, made.table):
            return False
        if not made.is_made(connection, made.copied):
            connection.execute(made.create)
        rows = _next(connection, made)
        if rows:
            made.copy(connection, rows)
        else:
            _replace(connection, made)
    return True


def _next(connection: sqlite3.Connection, made: Rebuilt) -> Rows:
    sql = statement(
        "SELECT", made.read, "FROM", made.table, "WHERE id > (SELECT coalesce(max(id), 0) FROM", made.copied + ")",
        "ORDER BY id LIMIT ?",
    )  # fmt: skip
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, (PIECE,)).fetchall()


def _replace(connection: sqlite3.Connection, made: Rebuilt) -> None:
    for sql in made.drop:
        connection.execute(sql)
    kept = [row[0] for row in connection.execute(_BELONGING, (made.table,))]
    _carry_sequence(connection, made)
    connection.execute(statement("DROP TABLE", made.table))
    connection.execute(statement("ALTER TABLE", made.copied, "RENAME TO", made.table))
    for sql in (*kept, *made.finish):
        connection.execute(sql)
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone():
        connection.execute(statement("ANALYZE", made.table))


# Indices and triggers that fit as they are.
_BELONGING = """SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL
ORDER BY rowid"""


def _carry_sequence(connection: sqlite3.Connection, made: Rebuilt) -> None:
    # A number that was given once is never given again, whatever became of its row.
    connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (made.copied,))
    connection.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT ?, seq FROM sqlite_sequence WHERE name = ?",
        (made.copied, made.table),
    )


def having(column: str) -> Callable[[sqlite3.Connection, str], bool]:
    """Whether a table is there and has a column, which only the new one has."""
    return partial(_has_column, column=column)


def _has_column(connection: sqlite3.Connection, table: str, *, column: str) -> bool:
    sql = "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ?"
    return connection.execute(sql, (table, column)).fetchone() is not None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _unchecked(connection: sqlite3.Connection) -> Iterator[None]:
    """Foreign keys and triggers may name a table that is away for a moment; who comes second waits for the first."""
    inside = {"foreign_keys": 0, "legacy_alter_table": 1, "busy_timeout": PATIENCE_MS}
    before = {name: connection.execute(statement("PRAGMA", name)).fetchone()[0] for name in inside}
    _set(connection, inside)
    try:
        yield
    finally:
        _set(connection, before)


def _set(connection: sqlite3.Connection, pragmas: Mapping[str, int]) -> None:
    for name, value in pragmas.items():
        connection.execute(statement("PRAGMA", name, "=", str(value)))
