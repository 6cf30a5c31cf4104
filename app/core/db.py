"""The SQLite file: one connection a thread, short write transactions, errors of SQLite as errors of this program."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors import DatabaseBusy, InputError, NotFound, NotReady, Stale
from app.core.leases.holders import Holder
from app.core.schema import upgrades
from app.core.storage import private_files
from app.core.storage.group_commit import GroupCommit
from app.core.storage.sqlite_terms import fault_of, identifier, translated
from app.core.storage.unit_of_work import UnitOfWork
from app.core.storage.write_test import WriteTest

LARGEST = 2**63 - 1
T = TypeVar("T")

BUSY_MS = 5000
ROWS_AT_ONCE = 64
"""Rows that one statement inserts: a full-text index is written out with every statement."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -4000",
    # Deleted content is overwritten where that costs no further page; erasure does the rest.
    "PRAGMA secure_delete = FAST",
)


def statement(*parts: str) -> str:
    """Join fixed parts to one SQL statement; values are never part of it, they are bound."""
    return " ".join(part for part in parts if part)


def marks(values: Sequence[Any]) -> str:
    """Return as many `?` as there are values, for an IN list."""
    return "(" + ", ".join("?" * len(values)) + ")"


def assignments(changes: Mapping[str, object]) -> str:
    """Return the `a = ?, b = ?` of an UPDATE; raises InputError for a key that is no column name."""
    return _assignments(tuple(changes))


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@lru_cache(maxsize=512)
def _assignments(columns: tuple[str, ...]) -> str:
    return ", ".join(identifier(column) + " = ?" for column in columns)


def _run(connection: sqlite3.Connection, sql: str, params: Iterable[Any], *, then: Callable[[sqlite3.Cursor], T]) -> T:
    """Run a statement and return what is taken of its cursor; SQLite's faults are raised as this program's."""
    try:
        return then(connection.execute(sql, _bound(params)))
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise fault_of(error) from error


def _bound(values: Iterable[Any]) -> list[Any]:
    # Every value of every statement passes here, so one that needs no change costs no call.
    return [
        value
        if value is None
        or (kind := type(value)) is float
        or kind is bool
        or (kind is str and value.isascii())
        or (kind is int and -LARGEST <= value <= LARGEST)
        else bindable(value)
        for value in values
    ]


def bindable(value: Any) -> Any:
    """Return a value as SQLite keeps it.

    Booleans become 0 and 1, lists and mappings compact JSON, and half a surrogate pair `?`. Raises InputError for a
    whole number of more than 64 bits.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise InputError("unknown_value", value=value)
        return int(value)
    return bindable(_compact(value)) if isinstance(value, list | tuple | Mapping) else value


class Reads:
    """Reads rows on the calling thread's connection."""

    @property
    def connection(self) -> sqlite3.Connection:
        """The SQLite connection that statements run on."""
        raise NotImplementedError

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return all rows of a SELECT."""
        return _run(self.connection, sql, params, then=sqlite3.Cursor.fetchall)

    def row(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Row | None:
        """Return the first row of a SELECT, if there is one."""
        found: sqlite3.Row | None = _run(self.connection, sql, params, then=sqlite3.Cursor.fetchone)
        return found

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row; None without rows."""
        found = self.row(sql, params)
        return None if found is None else found[0]

    def got(self, table: str, row_id: int) -> sqlite3.Row:
        """Return the row with this id; raises NotFound with the table as the noun."""
        found = self.row(statement("SELECT * FROM", identifier(table), "WHERE id = ?"), (row_id,))
        if found is None:
            raise NotFound(noun=table, id=row_id)
        return found


class Transaction(Reads):
    """An open write transaction: everything in it happens, or nothing does."""

    def __init__(self, connection: sqlite3.Connection, *, holder: Holder | None = None) -> None:
        self._connection = connection
        self._holder = holder

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection that holds the transaction."""
        return self._connection

    @property
    def holder(self) -> str:
        """The name under which this process claims rows; empty for a transaction of no `Database`."""
        try:
            return self._holder.name if self._holder else ""
        except OSError as error:
            raise NotReady("database_unusable", reason=str(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield this transaction itself, so that a flow takes a `Database` or an open transaction."""
        yield self

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Roll back to the beginning of this block when it raises; what came before stays."""
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO attempt")
            raise
        finally:
            self._connection.execute("RELEASE attempt")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; returns the number of rows that it changed."""
        return _run(self._connection, sql, params, then=lambda cursor: cursor.rowcount)

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        with translated():
            self._connection.executemany(sql, [_bound(row) for row in rows])

    def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of values in the order of `columns`, many with one statement."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            sql = _insertion(table, tuple(columns), n_rows=len(some))
            _run(self._connection, sql, chain.from_iterable(some), then=lambda cursor: cursor.rowcount)

    def next_id(self, table: str) -> int:
        """Return the id that the next row of a table gets; it is free until this transaction inserts it."""
        ever = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)"
        sql = statement("SELECT max(coalesce(max(id), 0),", ever, ") FROM", identifier(table))
        return int(self.value(sql, (table,))) + 1

    def insert(self, table: str, values: Mapping[str, object]) -> int:
        """Insert one row; returns its id."""
        sql = _insertion(table, tuple(values))
        return _run(self._connection, sql, values.values(), then=lambda cursor: cursor.lastrowid or 0)

    def change(self, table: str, row_id: int, *, changes: Mapping[str, object], version: int | None = None) -> None:
        """Update columns and count the version up.

        Raises NotFound, and Stale when `version` is given and is not the one in force.
        """
        settings = assignments(changes) + ", " if changes else ""
        sql = statement(
            "UPDATE",
            identifier(table),
            "SET",
            settings + "version = version + 1",
            "WHERE id = ? AND version = coalesce(?, version)",
        )
        if self.execute(sql, (*changes.values(), row_id, version)) == 0:
            raise Stale(noun=table, id=row_id, version=self.got(table, row_id)["version"])


class Database(Reads):
    """The SQLite file of one installation; each thread gets its own connection, writers take turns."""

    def __init__(self, path: Path, *, timeout_ms: int = BUSY_MS) -> None:
        self.path = path
        self._timeout_s = timeout_ms / 1000
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        # Writers of this process queue here in order; SQLite's own waiting polls and lets the unlucky starve.
        self._writer = threading.Lock()
        self._groups = GroupCommit(self.transaction)
        self._write_test = WriteTest(self)
        self.holder = Holder(path.with_name(path.name + "-holders"))

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection, opened on first use."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        return self._open_connection() if held is None else held

    def _open_connection(self) -> sqlite3.Connection:
        with translated():
            connection = sqlite3.connect(
                self.path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        self._local.connection = connection
        with self._guard:
            self._opened.append(connection)
        return connection

    @property
    def _unit(self) -> UnitOfWork | None:
        found: UnitOfWork | None = getattr(self._local, "unit", None)
        return found

    @contextmanager
    def transaction(self, *, wait_ms: int | None = None) -> Iterator[Transaction]:
        """Open a write transaction, committed at the end or rolled back on an error.

        Inside a unit of work it is a part of that unit. Raises DatabaseBusy when another writer holds the database for
        longer than `wait_ms` (None: the usual wait).
        """
        unit = self._unit
        with unit.join() if unit else self._own_transaction(wait_ms=wait_ms) as tx:
            yield tx

    @contextmanager
    def _own_transaction(self, *, wait_ms: int | None = None) -> Iterator[Transaction]:
        connection = self._idle_connection()
        wait_s = self._timeout_s if wait_ms is None else wait_ms / 1000
        if not self._writer.acquire(timeout=wait_s):
            raise DatabaseBusy()
        try:
            self._begin(connection, wait_s=wait_s)
            try:
                yield Transaction(connection, holder=self.holder)
                with translated():
                    connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        finally:
            self._writer.release()

    def _idle_connection(self) -> sqlite3.Connection:
        connection = self.connection
        if connection.in_transaction:
            raise RuntimeError("transactions do not nest: pass the open one on")
        return connection

    def group_commit(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a write transaction that threads share; returns its result once that is durable.

        It may run twice, so it changes nothing but the database. Raises DatabaseBusy, and what `work` raises.
        """
        unit = self._unit
        if unit is not None:
            with unit.join() as tx:
                return work(tx)
        self._idle_connection()
        return self._groups.run(work)

    @contextmanager
    def unit_of_work(self, *, begin: Callable[[Transaction], None]) -> Iterator[None]:
        """Commit everything that the calling thread writes in this block at its end, at once; see `UnitOfWork`."""
        unit = UnitOfWork(self._own_transaction, begin=begin)
        self._local.unit = unit
        try:
            with unit.commit_at_end():
                yield
        finally:
            self._local.unit = None
        unit.run_follow_ups()

    def after_commit(self, work: Callable[[], object]) -> None:
        """Run long work now, or after the commit of the unit of work that is open."""
        unit = self._unit
        if unit is None:
            work()
        else:
            unit.after_commit(work)

    def _begin(self, connection: sqlite3.Connection, *, wait_s: float) -> None:
        is_usual = wait_s == self._timeout_s
        if not is_usual:
            _set_wait(connection, wait_s)
        try:
            with translated():
                connection.execute("BEGIN IMMEDIATE")
        finally:
            if not is_usual:
                _set_wait(connection, self._timeout_s)

    @contextmanager
    def page_cache(self, *, megabytes: int) -> Iterator[None]:
        """Give the calling thread's connection a larger page cache, for work that changes whole indices."""
        connection = self.connection
        usual = connection.execute("PRAGMA cache_size").fetchone()[0]
        connection.execute(statement("PRAGMA cache_size =", str(-1000 * megabytes)))
        try:
            yield
        finally:
            connection.execute(statement("PRAGMA cache_size =", str(usual)))

    def check(self) -> None:
        """Raise NotReady or DatabaseBusy unless this program knows the file's schema and can write to it."""
        self._write_test.check()

    def release(self) -> None:
        """Close the calling thread's connection, before the thread ends."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is not None:
            self._local.connection = None
            with self._guard:
                self._opened.remove(held)
            held.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()
        self.holder.close()


def open_database(path: Path | str, *, timeout_ms: int = BUSY_MS) -> Database:
    """Open the database at `path`, made and upgraded where needed.

    Raises NotReady for a file that cannot be used, and leaves it as it is: `database_newer`, `database_unknown`, or
    `no_copy` before an upgrade.
    """
    where = Path(path)
    with translated():
        try:
            upgrades.check_known(where)
            where.parent.mkdir(parents=True, exist_ok=True, mode=private_files.FOLDER_MODE)
            # SQLite gives its journals the mode of the database.
            private_files.private_file(where)
        except OSError as error:
            raise NotReady("database_unusable", reason=str(error)) from error
        database = Database(where, timeout_ms=timeout_ms)
        upgrades.upgrade(database.connection, where)
    return database


def _set_wait(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(statement("PRAGMA busy_timeout =", str(round(seconds * 1000))))


@lru_cache(maxsize=512)
def _insertion(table: str, columns: tuple[str, ...], *, n_rows: int = 1) -> str:
    named = ", ".join(identifier(column) for column in columns)
    rows = ", ".join([marks(columns)] * n_rows)
    return statement("INSERT INTO", identifier(table), "(" + named + ")", "VALUES", rows)
