"""A watched folder: files are taken once, moved to `done` or `failed`, and left alone while they are being written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

KINDS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".xml": "rss", ".rss": "rss"}
SETTLED_MS = 5000
"""A file that changed more recently may not be whole yet."""

LEASE_MS = 3_600_000
WORKING, DONE, FAILED = "working", "done", "failed"
_HALF = (".part", ".tmp", ".crdownload", ".filepart")


def waiting(folder: Path, *, now: int) -> Iterator[Path]:
    """Files that are whole, oldest first: new ones, and those that a worker took and never finished."""
    found = [entry for entry in _files(folder) if now - _changed_at(entry) >= SETTLED_MS]
    found += [entry for entry in _files(folder / WORKING) if now - _changed_at(entry) >= LEASE_MS]
    yield from sorted(found, key=lambda entry: (_changed_at(entry), entry.name))


def take(file: Path, *, folder: Path, now: int) -> Path | None:
    """Claim a file by moving it; where it is now, or None when another was faster."""
    target = _free(folder / WORKING, file.name) if file.parent != folder / WORKING else file
    try:
        file.rename(target)
        _touch(target, now=now)
    except FileNotFoundError:
        return None
    return target


def put_away(file: Path, *, folder: Path, is_good: bool) -> Path:
    """Move a file that was read to `done`, or to `failed`; where it is now."""
    target = _free(folder / (DONE if is_good else FAILED), file.name)
    file.rename(target)
    return target


def put_back(file: Path, *, folder: Path) -> Path:
    """Move a file that was taken back to where it waits; where it is now."""
    target = _free(folder, file.name)
    file.rename(target)
    return target


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
    os.utime(file, ns=(now * 1_000_000, now * 1_000_000))


def _free(folder: Path, name: str) -> Path:
    """A name in a folder that no file has yet."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return target
