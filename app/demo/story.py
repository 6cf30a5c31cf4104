"""Reads the files of the demo organisation's story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core.durations import MINUTE_MS

FOLDER = Path(__file__).parent / "story"


def rows(name: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file of the story."""
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def read(name: str) -> Any:
    """Return the content of a JSON file of the story."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def moment(row: dict[str, Any], *, now: int) -> int:
    """Return the time of a row in milliseconds UTC; the story ends at `now`."""
    return now - int(row["minutes_ago"]) * MINUTE_MS
