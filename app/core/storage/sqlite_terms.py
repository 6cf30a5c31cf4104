"""Names on the way into SQLite, and faults on the way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.errors import DatabaseBusy, InputError, NotReady

_CODES = {"disk is full": "database_full", "readonly": "database_read_only"}


def identifier(name: str) -> str:
    """Return the name of a table or column; raises InputError for text that came from outside and is none."""
    if not (name.isascii() and name.isidentifier()):
        raise InputError("unknown_field", field=name)
    return name


def fault_of(error: sqlite3.DatabaseError) -> DatabaseBusy | NotReady:
    """Return the error of this program for one of SQLite."""
    text = str(error)
    if not isinstance(error, sqlite3.OperationalError):
        return NotReady("database_unusable", reason=text)
    if "locked" in text or "busy" in text:
        return DatabaseBusy()
    return NotReady(next((code for part, code in _CODES.items() if part in text), "database_unusable"), reason=text)


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseBusy or NotReady where SQLite fails; an IntegrityError passes, for callers that expect one."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise fault_of(error) from error
