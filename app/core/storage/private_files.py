"""The files of an installation, which only the account of the server may read, whatever its umask.

Files are made without access for group and others; at each opening that access is removed from everything in the
folder, because a copied database or a model may have come with another mode.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
MOST_ENTRIES = 10_000
"""Entries of an installation's folder that are checked: a closed folder protects the rest."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO

log = logging.getLogger("bellwether")


def private_folder(folder: Path) -> None:
    """Make a folder for this account alone, or close an existing one; logs a warning where it cannot be closed.

    A folder with the sticky bit, such as /tmp, belongs to many and is left alone.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    is_shared = bool(folder.stat().st_mode & stat.S_ISVTX)
    if is_shared or not _closed(folder):
        log.warning("%s may be read by other accounts; its mode cannot be changed from here.", folder)


def close_all(folder: Path) -> None:
    """Remove the access of group and others from everything in a folder; links are not followed."""
    for path in islice(_entries(folder), MOST_ENTRIES):
        _closed(path)


def private_file(path: Path) -> None:
    """Make an empty file for this account alone, or close an existing one.

    An existing file is never opened: closing a second handle would drop the locks that SQLite holds on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    _closed(path)


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Return the content of a private file, made by the first of several processes that ask for it."""
    if not path.exists():
        _create(path, make())
    return path.read_text(encoding="ascii").strip()


def _create(path: Path, content: str) -> None:
    # Written aside and linked into place, so that no other process reads half a key or loses its own.
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content + "\n")
    with suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()


def _entries(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        yield from (path for name in (*folders, *files) if not (path := Path(where, name)).is_symlink())


def _closed(path: Path) -> bool:
    """Remove the access of group and others; returns False where that is not allowed."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            path.chmod(mode & ~_OTHERS)
    except FileNotFoundError:
        return True
    except PermissionError:
        return False
    return True
