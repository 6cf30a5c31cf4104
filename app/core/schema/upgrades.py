"""Upgrades: a blank database file gets the newest schema at once, an older one is copied and then migrated."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.core.errors import NotReady
from app.core.schema import versions

LOG = logging.getLogger(__name__)
KEPT_COPIES = 2


def check_known(path: Path) -> None:
    """Raise NotReady for a file that this program cannot use (see `versions.check_known`); the file is not changed."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        versions.check_known(connection, file=path.name)


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Upgrade a file to the newest version in one transaction; an older file is copied beside it before.

    Processes that start at the same time wait for the one that upgrades. Raises NotReady `no_copy` before any change.
    """
    if versions.of(connection) == versions.newest():
        return
    with _sole_upgrade(path.parent):
        pending = versions.pending(connection)
        if versions.of(connection) == 0:
            _run(connection, [versions.CURRENT])
        elif pending:
            copy = _copied(path, before=pending[0].stem)
            LOG.warning("The database is upgraded; %s holds it as it was before.", copy)
            delete_copies(path, keep=KEPT_COPIES)
            _run(connection, pending)


def copies(path: Path) -> list[Path]:
    """Return the copies made before upgrades, the newest first."""
    found = [one for one in path.parent.glob(path.name + ".before-*") if one.suffix != ".part"]
    return sorted(found, key=lambda one: one.stat().st_mtime_ns, reverse=True)


def delete_copies(path: Path, *, keep: int = 0, older_than_ms: int | None = None) -> int:
    """Delete copies except the newest `keep`, all or those made before a time; returns their number."""
    old = [
        one
        for one in copies(path)[keep:]
        if older_than_ms is None or one.stat().st_mtime_ns // 1_000_000 < older_than_ms
    ]
    for one in old:
        one.unlink(missing_ok=True)
    return len(old)


def _run(connection: sqlite3.Connection, files: Iterable[Path]) -> None:
    """Run SQL files in one transaction that ends at the newest version.

    Foreign keys are off meanwhile: a migration that makes a table anew drops the old one, and no row goes with it.
    """
    script = "\n".join(path.read_text(encoding="utf-8") for path in files)
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id = {versions.APPLICATION_ID};\n"
            f"PRAGMA user_version = {versions.newest()};\nCOMMIT;"
        )
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = ON")


@contextmanager
def _sole_upgrade(folder: Path) -> Iterator[None]:
    """Keep other processes from upgrading a file of this folder in this block."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _copied(path: Path, *, before: str) -> Path:
    target = path.with_name(f"{path.name}.before-{before}")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        _check_room(path)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _write_copy(path, part)
        part.replace(target)
    except (OSError, sqlite3.OperationalError) as error:
        part.unlink(missing_ok=True)
        raise NotReady("no_copy", file=path.name, reason=str(error), megabytes=_megabytes(path)) from error
    return target


def _check_room(path: Path) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < path.stat().st_size:
        raise OSError(f"{free // 1_000_000} MB are free")


def _write_copy(path: Path, part: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
        target.execute("PRAGMA journal_mode = OFF")
        source.backup(target)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    descriptor = os.open(part.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _megabytes(path: Path) -> int:
    return -(-path.stat().st_size // 1_000_000)
