"""A database file as the first release made it, and migrations that no release has."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from app.core.schema import versions

SQL = Path(__file__).with_name("first_release.sql")


def make(path: Path, more: str = "") -> Path:
    """Make a file of the first release and run SQL in it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SQL.read_text(encoding="utf-8") + more)
    return path


def migrate_by(monkeypatch: pytest.MonkeyPatch, folder: Path, files: Mapping[str, str]) -> None:
    """Let these migrations be all that there are."""
    folder.mkdir(exist_ok=True)
    for name, sql in files.items():
        (folder / name).write_text(sql, encoding="utf-8")
    monkeypatch.setattr(versions, "MIGRATIONS", tuple(folder / name for name in files))
