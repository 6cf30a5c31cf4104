"""The version of a database file: the number of its last migration, kept by SQLite in the file's header.

Version 1 is the first released schema. `migrations/0002_<name>.sql` leads from it to version 2, and so on: SQL alone,
never changed once it is released. `current.sql` is the schema that all of them lead to.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from app.core.errors import NotReady

APPLICATION_ID = int.from_bytes(b"BWLR", "big")
"""The mark in the header of our files, which distinguishes them from files of other programs."""

FIRST = 1
CURRENT = Path(__file__).with_name("current.sql")
MIGRATIONS = tuple(sorted((Path(__file__).parent / "migrations").glob("*.sql")))


def newest() -> int:
    """Return the version of a file after all migrations."""
    return max(map(_number, MIGRATIONS), default=FIRST)


def of(connection: sqlite3.Connection) -> int:
    """Return the version of a file; 0 for a blank one."""
    return _header(connection, "user_version")


def pending(connection: sqlite3.Connection) -> tuple[Path, ...]:
    """Return the migrations that a file lacks, in their order."""
    version = of(connection)
    return tuple(path for path in MIGRATIONS if _number(path) > version)


def check_known(connection: sqlite3.Connection, *, file: str) -> None:
    """Raise NotReady unless a file is blank or of a version that this program can use.

    The codes are `database_newer`, and `database_unknown` for a file of another program or of no released version.
    """
    version = of(connection)
    is_ours = _header(connection, "application_id") == APPLICATION_ID
    if is_ours and version > newest():
        raise NotReady("database_newer", file=file, step=version)
    if not (is_ours and version >= FIRST) and not _is_blank(connection):
        raise NotReady("database_unknown", file=file)


def _is_blank(connection: sqlite3.Connection) -> bool:
    is_marked = any(_header(connection, name) for name in ("user_version", "application_id"))
    return not is_marked and connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _header(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _number(path: Path) -> int:
    return int(path.stem.partition("_")[0])
