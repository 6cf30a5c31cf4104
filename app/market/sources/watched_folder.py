"""A watched folder: files are taken once, moved to `done` or `failed`, and left alone while they are being written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

KINDS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".xml": "rss", ".rss": "rss"}
SETTLED_MS = 5000
"""A file that changed more recently may not be whole yet."""

LEASE_MS = 3_600_000
WORKING, DONE, FAILED = "working", "done", "failed"
_HALF = (".part", ".tmp", ".crdownload", ".filepart")


def waiting(folder: Path, *, now: int, is_alive: Callable[[str], bool]) -> Iterator[Path]:
    """Yield files that are whole, oldest first: new ones, and those that a worker took and never finished.

    `is_alive` says of a holder's name whether its process still runs; what that of a dead one took waits at once.
    """
    found = [entry for entry in _files(folder) if now - _changed_at(entry) >= SETTLED_MS]
    for taken, holder in _taken(folder):
        found += [
            entry
            for entry in _files(taken)
            if now - _changed_at(entry) >= LEASE_MS or (holder and not is_alive(holder))
        ]
    yield from sorted(found, key=lambda entry: (_changed_at(entry), entry.name))


def _taken(folder: Path) -> list[tuple[Path, str]]:
    """The folders of files that were taken, each with the name of its holder; empty for none."""
    working = folder / WORKING
    inside = sorted(entry for entry in working.iterdir() if entry.is_dir()) if working.is_dir() else []
    return [(working, ""), *((entry, entry.name) for entry in inside)]


def take(file: Path, *, folder: Path, now: int, holder: str) -> Path | None:
    """Claim a file by moving it to its holder's folder; returns where it is now, None when another was faster."""
    mine = folder / WORKING / holder
    target = file if file.parent == mine else _free(mine, file.name)
    try:
        file.rename(target)
        _touch(target, now=now)
    except FileNotFoundError:
        return None
    if target != file:
        _drop_empty(file.parent, folder=folder)
    return target


def put_away(file: Path, *, folder: Path, is_good: bool) -> Path:
    """Move a file that was read to `done`, or to `failed`; returns where it is now."""
    target = _free(folder / (DONE if is_good else FAILED), file.name)
    file.rename(target)
    _drop_empty(file.parent, folder=folder)
    return target


def put_back(file: Path, *, folder: Path) -> Path:
    """Move a file that was taken back to where it waits; returns where it is now."""
    target = _free(folder, file.name)
    file.rename(target)
    _drop_empty(file.parent, folder=folder)
    return target


def _drop_empty(taken: Path, *, folder: Path) -> None:
    """Remove the folder of a holder who works on nothing."""
    if taken.parent == folder / WORKING:
        with suppress(OSError):
            taken.rmdir()


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        entry
        for entry in folder.iterdir()
        # A link could lead anywhere on this machine.
        if entry.is_file() and not entry.is_symlink() and entry.suffix.lower() in KINDS and not _is_half(entry.name)
    ]


def _is_half(name: str) -> bool:
    return name.startswith((".", "~")) or name.lower().endswith(_HALF)


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 1 << 62


def _touch(file: Path, *, now: int) -> None:
    # It is this house's now, and nobody else's to read.
    file.chmod(0o600)
    os.utime(file, ns=(now * 1_000_000, now * 1_000_000))


def _free(folder: Path, name: str) -> Path:
    """A name in a folder that no file has yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return target
