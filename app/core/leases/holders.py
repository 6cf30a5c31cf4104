"""Holders: each process that claims rows of a database has a name, and the kernel tells if the process lives.

A process keeps an exclusive lock (flock) on a file of its name, which the kernel releases when the process ends,
however it ends. So a claim under a name whose file is missing or not locked is nobody's any more.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from threading import Lock


class Holder:
    """This process among those that work on one database; its file in `folder` is made when its name is first read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = Lock()
        self._file: int | None = None
        self._name = ""
        self._pid = 0

    @property
    def name(self) -> str:
        """The name for claims; raises OSError where the file cannot be written."""
        with self._guard:
            # A forked child is another process, and takes a name of its own.
            if self._file is None or self._pid != os.getpid():
                self._take_name()
            return self._name

    def _take_name(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            name = secrets.token_hex(8)
            file = os.open(self._folder / name, os.O_CREAT | os.O_RDWR, 0o600)
            if _is_lockable(file) and _is_same(file, self._folder / name):
                self._file, self._name, self._pid = file, name, os.getpid()
                return
            # Another process deleted the file between the two steps.
            os.close(file)

    def is_alive(self, name: str) -> bool:
        """Return True while the process of a name runs; the file of an ended one is deleted."""
        if self._file is not None and name == self._name:
            return True
        where = self._folder / name
        try:
            file = os.open(where, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            if not _is_lockable(file):
                return True
            where.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)

    def delete_dead_files(self) -> None:
        """Delete the files of processes that were killed."""
        if self._folder.is_dir():
            for entry in self._folder.iterdir():
                self.is_alive(entry.name)

    def close(self) -> None:
        """Give the name up, which frees its claims."""
        with self._guard:
            if self._file is not None and self._pid == os.getpid():
                (self._folder / self._name).unlink(missing_ok=True)
                os.close(self._file)
                self._file = None


def _is_lockable(file: int) -> bool:
    """Lock the file unless another process holds its lock; returns True where it could be locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same(file: int, where: Path) -> bool:
    try:
        return os.fstat(file).st_ino == where.stat().st_ino
    except FileNotFoundError:
        return False
