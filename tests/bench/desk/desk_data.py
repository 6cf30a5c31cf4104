"""The desk that the benchmarks of the desk work on: a million generated tickets, kept in the temporary folder."""

from __future__ import annotations

import json
import statistics
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.core.db import Database, open_database
from tests.bench.machine import machine
from tests.process import flask

N_TICKETS = 1_000_000
RESULT = Path(__file__).parents[1] / "results" / "desk.json"
ADMIN = "maren.oakhill@example.com"


def desk(n_tickets: int = N_TICKETS) -> Path:
    """The instance folder of a desk of this size, generated when it is not there yet (minutes)."""
    folder = Path(tempfile.gettempdir()) / f"bellwether-desk-{n_tickets}"
    if not (folder / "ready").exists():
        flask("demo", "generate", "--tickets", str(n_tickets), instance=folder)
        (folder / "ready").touch()
    return folder


def database(folder: Path) -> Database:
    """Its database."""
    return open_database(folder / "bellwether.sqlite")


def token(folder: Path, *, email: str = ADMIN, scope: str = "admin") -> str:
    """An API token of one of its people; pages take it too."""
    return flask("token", "add", email, "--name", "bench", "--scope", scope, instance=folder)


def keep(part: str, told: dict[str, Any]) -> None:
    """Write one part of results/desk.json and leave the others."""
    known = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    known[part] = told
    known["machine"] = machine()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(json.dumps({part: told}))


def quantiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and worst of times in milliseconds."""
    cuts = statistics.quantiles(times_ms, n=100, method="inclusive")
    return {"p50_ms": round(cuts[49], 1), "p95_ms": round(cuts[94], 1), "max_ms": round(max(times_ms), 1)}


def fetch(url: str, *, token: str) -> bytes:
    """A page as its reader gets it; raises for an error status."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
