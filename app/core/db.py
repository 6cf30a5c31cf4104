"""The SQLite file: one connection a thread, short write transactions, busy and broken told apart."""

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
from app.core.storage.group_commit import Together
from app.core.storage.unit_of_work import UnitOfWork
from app.core.storage.write_test import WriteTest

T = TypeVar("T")

BUSY_MS = 5000
LARGEST = 2**63 - 1
ROWS_AT_ONCE = 64
"""Rows that one statement inserts: a full-text index is written out with every statement."""

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -4000",
    # What is deleted is overwritten where that costs no further page; erasure does the rest.
    "PRAGMA secure_delete = FAST",
)
_CODES = {"disk is full": "database_full", "readonly": "database_read_only"}


def statement(*parts: str) -> str:
    """One SQL statement of fixed parts; values never go in here, they are bound."""
    return " ".join(part for part in parts if part)


def marks(values: Sequence[Any]) -> str:
    """As many `?` as there are values, for an IN list."""
    return "(" + ", ".join("?" * len(values)) + ")"


def assignments(changes: Mapping[str, Any]) -> str:
    """The `a = ?, b = ?` of an UPDATE; raises InputError for a key that is no column name."""
    return ", ".join(_name(column) + " = ?" for column in changes)


def bindable(value: Any) -> Any:
    """A value as SQLite keeps it: booleans as 0 and 1, lists and mappings as compact JSON, text without surrogates.

    Raises InputError for a whole number of more than 64 bits.
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


def _bound(values: Iterable[Any]) -> list[Any]:
    # Every value of every statement comes through here: what needs no change is told without a call.
    return [
        value
        if value is None
        or (kind := type(value)) is float
        or (kind is str and value.isascii())
        or (kind is int and -LARGEST <= value <= LARGEST)
        else bindable(value)
        for value in values
    ]


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise DatabaseBusy() from error
        code = next((code for part, code in _CODES.items() if part in text), "database_unusable")
        raise NotReady(code, reason=text) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise NotReady("database_unusable", reason=str(error)) from error


class Reads:
    """What a reader needs: rows of a SELECT, on the calling thread's connection."""

    @property
    def connection(self) -> sqlite3.Connection:
        """The SQLite connection that statements run on."""
        raise NotImplementedError

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a SELECT."""
        with _told():
            return self.connection.execute(sql, _bound(params)).fetchall()

    def row(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a SELECT, if there is one."""
        with _told():
            found: sqlite3.Row | None = self.connection.execute(sql, _bound(params)).fetchone()
        return found

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None without rows."""
        found = self.row(sql, params)
        return None if found is None else found[0]

    def got(self, table: str, row_id: int) -> sqlite3.Row:
        """The row with this id; raises NotFound naming the table as the noun."""
        found = self.row(statement("SELECT * FROM", _name(table), "WHERE id = ?"), (row_id,))
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
        """This transaction itself, for work that opens one of its own where none is open."""
        yield self

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of the transaction that is taken back alone when it raises."""
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO attempt")
            raise
        finally:
            self._connection.execute("RELEASE attempt")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        with _told():
            return self._connection.execute(sql, _bound(params)).rowcount

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once per row of parameters."""
        with _told():
            self._connection.executemany(sql, [_bound(row) for row in rows])

    def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of values in the order of `columns`, many with a statement."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            sql = _insertion(table, tuple(columns), n_rows=len(some))
            with _told():
                self._connection.execute(sql, _bound(chain.from_iterable(some)))

    def next_id(self, table: str) -> int:
        """The id that the next row of a table gets; it is free until this transaction inserts it."""
        ever = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)"
        sql = statement("SELECT max(coalesce(max(id), 0),", ever, ") FROM", _name(table))
        return int(self.value(sql, (table,))) + 1

    def insert(self, table: str, values: Mapping[str, Any]) -> int:
        """Insert one row; returns its id."""
        with _told():
            cursor = self._connection.execute(_insertion(table, tuple(values)), _bound(values.values()))
        return cursor.lastrowid or 0

    def change(self, table: str, row_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> None:
        """Update columns and count the version up; raises Stale when `version` is not the one in force."""
        settings = assignments(changes) + ", " if changes else ""
        sql = statement(
            "UPDATE",
            _name(table),
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
        self._together = Together(self.transaction)
        self._write_test = WriteTest(self)
        self.holder = Holder(path.with_name(path.name + "-holders"))

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection, opened on first use."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        return self._opened_here() if held is None else held

    def _opened_here(self) -> sqlite3.Connection:
        with _told():
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

    @contextmanager
    def transaction(self, *, wait_ms: int | None = None) -> Iterator[Transaction]:
        """A write transaction, committed at the end or rolled back on an error.

        In a unit of work it is a part of that. Raises DatabaseBusy when another writer holds the database for longer
        than `wait_ms` (the usual wait if None).
        """
        unit: UnitOfWork | None = getattr(self._local, "unit", None)
        with unit.joined() if unit else self._own_transaction(wait_ms=wait_ms) as tx:
            yield tx

    @contextmanager
    def _own_transaction(self, *, wait_ms: int | None = None) -> Iterator[Transaction]:
        connection = self.connection
        if connection.in_transaction:
            raise RuntimeError("transactions do not nest: hand the open one on")
        wait_s = self._timeout_s if wait_ms is None else wait_ms / 1000
        if not self._writer.acquire(timeout=wait_s):
            raise DatabaseBusy()
        try:
            self._begin(connection, wait_s=wait_s)
            try:
                yield Transaction(connection, holder=self.holder)
                with _told():
                    connection.execute("COMMIT")
            except BaseException:
                _rolled_back(connection)
                raise
        finally:
            self._writer.release()

    def together(self, work: Callable[[Transaction], T]) -> T:
        """What `work` returns, done in a write transaction that it may share with that of other threads; then durable.

        It may be called twice, so it changes nothing but the database. Raises DatabaseBusy, and what it raises.
        """
        unit: UnitOfWork | None = getattr(self._local, "unit", None)
        if unit is not None:
            with unit.joined() as tx:
                return work(tx)
        if self.connection.in_transaction:
            raise RuntimeError("transactions do not nest: hand the open one on")
        return self._together.do(work)

    @contextmanager
    def unit_of_work(self, *, begin: Callable[[Transaction], None]) -> Iterator[None]:
        """Commit all that the calling thread writes inside together, at the end; see `UnitOfWork`."""
        unit = UnitOfWork(self._own_transaction, begin=begin)
        self._local.unit = unit
        try:
            with unit.whole():
                yield
        finally:
            self._local.unit = None
        unit.follow_up()

    def afterwards(self, work: Callable[[], object]) -> None:
        """Do something that may take long: at once, or after the commit of the unit of work that is open."""
        unit: UnitOfWork | None = getattr(self._local, "unit", None)
        if unit is None:
            work()
        else:
            unit.afterwards(work)

    def _begin(self, connection: sqlite3.Connection, *, wait_s: float) -> None:
        _set_wait(connection, wait_s)
        try:
            with _told():
                connection.execute("BEGIN IMMEDIATE")
        finally:
            _set_wait(connection, self._timeout_s)

    @contextmanager
    def wide(self, *, megabytes: int) -> Iterator[None]:
        """Give the calling thread's connection a larger page cache for work that changes whole indices."""
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
        """Close the calling thread's connection: for threads that end."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is not None:
            self._local.connection = None
            with self._guard:
                self._opened.remove(held)
            held.close()

    def close(self) -> None:
        """Close every connection of every thread."""
        with self._guard:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()
        self.holder.close()


def open_database(path: Path | str, *, timeout_ms: int = BUSY_MS) -> Database:
    """The database at `path`, made and upgraded where needed.

    Raises NotReady for a file that cannot be used, and leaves it: `database_newer`, `database_unknown`, or `no_copy`
    before an upgrade.
    """
    where = Path(path)
    with _told():
        try:
            upgrades.check_known(where)
            where.parent.mkdir(parents=True, exist_ok=True, mode=private_files.FOLDER_MODE)
            # The journals beside it get the mode that the database has.
            private_files.private_file(where)
        except OSError as error:
            raise NotReady("database_unusable", reason=str(error)) from error
        database = Database(where, timeout_ms=timeout_ms)
        upgrades.upgrade(database.connection, where)
    return database


def _set_wait(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(statement("PRAGMA busy_timeout =", str(round(seconds * 1000))))


def _rolled_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@lru_cache(maxsize=512)
def _insertion(table: str, columns: tuple[str, ...], *, n_rows: int = 1) -> str:
    named = ", ".join(_name(column) for column in columns)
    rows = ", ".join([marks(columns)] * n_rows)
    return statement("INSERT INTO", _name(table), "(" + named + ")", "VALUES", rows)


def _name(identifier: str) -> str:
    # Names of tables and columns are ours; a key that came from outside ends here and not in a statement.
    if not (identifier.isascii() and identifier.isidentifier()):
        raise InputError("unknown_field", field=identifier)
    return identifier
