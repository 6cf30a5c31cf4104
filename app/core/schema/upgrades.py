"""The file of another version: an older one is copied and upgraded, a newer one is left alone."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.core.db import statement
from app.core.errors import NotReady
from app.core.schema.migrations import migrate, pending, unknown

LOG = logging.getLogger(__name__)
KEPT_COPIES = 2
_UNDER_WAY = 1
"""The `user_version` of a file whose upgrade has begun: the copy that is there is of the file before it."""


def check_known(path: Path) -> None:
    """Raise NotReady `database_newer` for a file that a newer version wrote; looking changes nothing in it."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        steps = unknown(connection)
    if steps:
        raise NotReady("database_newer", file=path.name, step=steps[-1])


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the steps that a file has not seen, once a copy of what is in it is safe beside it.

    Processes that start together wait for the one that upgrades. Raises NotReady `no_copy`, and nothing is changed.
    """
    if not pending(connection):
        return
    with _alone(path.parent):
        steps = pending(connection)
        if steps and _is_filled(connection) and _version(connection) != _UNDER_WAY:
            copy = _copied(path, before=steps[0])
            _set_version(connection, _UNDER_WAY)
            LOG.warning("The database is upgraded; %s holds it as it was before.", copy)
            forget_copies(path, keep=KEPT_COPIES)
        migrate(connection)
        if _version(connection) == _UNDER_WAY:
            _set_version(connection, 0)


def copies(path: Path) -> list[Path]:
    """The copies made before upgrades, the newest first."""
    found = [one for one in path.parent.glob(path.name + ".before-*") if one.suffix != ".part"]
    return sorted(found, key=lambda one: one.stat().st_mtime_ns, reverse=True)


def forget_copies(path: Path, *, keep: int = 0, older_than_ms: int | None = None) -> int:
    """Remove all copies but the newest `keep`, or of the others those made before a time; how many."""
    old = [
        one
        for one in copies(path)[keep:]
        if older_than_ms is None or one.stat().st_mtime_ns // 1_000_000 < older_than_ms
    ]
    for one in old:
        one.unlink(missing_ok=True)
    return len(old)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The time in which no other process upgrades a file of this folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_filled(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'user'").fetchone() is not None


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _set_version(connection: sqlite3.Connection, version: int) -> None:
    connection.execute(statement("PRAGMA user_version =", str(version)))


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
