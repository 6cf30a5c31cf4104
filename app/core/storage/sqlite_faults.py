"""Errors of SQLite as errors of this program: busy, full, read-only, or not usable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.errors import DatabaseBusy, NotReady

_CODES = {"disk is full": "database_full", "readonly": "database_read_only"}


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseBusy or NotReady where SQLite fails; an IntegrityError passes, for callers that expect one."""
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
