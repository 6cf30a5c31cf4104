"""Reading at a million tickets: pages of the inbox with any filter, of a ticket, of a search; and the size on disk.

`python -m tests.bench desk_read` writes the part `read` of results/desk.json. One reader, one request after another,
in this process; beside the time on the wall stands the processor time of all its threads, which says what the wall
time is on a machine that does nothing else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient

from app import create_app
from app.core import config
from app.core.db import Database
from tests.bench.desk.desk_data import database, desk, keep, quantiles, token

N_REQUESTS = 200
FOLLOWED = 0.2
"""So many inbox requests go on to a later page."""


def _filters(db: Database, rng: Random) -> list[str]:
    choices: dict[str, list[Any]] = {
        "status": ["", "all", "all", "new", "open", "pending", "solved", "closed"],
        "queue": [row[0] for row in db.rows("SELECT id FROM queue")],
        "intent": [row[0] for row in db.rows("SELECT DISTINCT intent FROM facet WHERE intent <> ''")],
        "sentiment": ["negative", "neutral", "positive"],
        "priority": ["low", "normal", "high", "urgent"],
        "band": ["high", "medium", "low"],
        "assignee": ["none", *(row[0] for row in db.rows("SELECT id FROM user WHERE role = 'agent' LIMIT 8"))],
        "sla": ["ok", "at_risk", "breached", "met"],
        "language": ["en", "de", "fr", "es", "zh"],
        "needs_person": ["1"],
        "sort": ["", "newest", "oldest", "updated"],
    }
    found = []
    for _ in range(N_REQUESTS):
        names = ["status", *rng.sample(sorted(set(choices) - {"status"}), rng.randint(0, 4))]
        chosen = {name: rng.choice(choices[name]) for name in names}
        found.append("/tickets?" + urlencode({name: value for name, value in chosen.items() if value != ""}))
    return found


def _queries(db: Database, rng: Random) -> list[str]:
    last = db.value("SELECT max(id) FROM message")
    found: list[str] = []
    while len(found) < N_REQUESTS:
        text = db.value("SELECT text FROM message WHERE id = ?", (rng.randint(1, last),)) or ""
        words = re.findall(r"[A-Za-z]\w{2,}", text)
        if len(words) > 3:
            query = " ".join(rng.sample(words, rng.randint(1, 3)))
            found.append("/tickets?" + urlencode({"status": rng.choice(["", "all"]), "q": query}))
    return found


@dataclass
class _Times:
    """What requests took, in milliseconds."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """Quantiles of both."""
        return quantiles(self.wall) | {f"processor_{name}": value for name, value in quantiles(self.processor).items()}


def _times(client: FlaskClient, paths: Sequence[str], *, key: str, follow: Random | None = None) -> _Times:
    times = _Times()
    for path in paths:
        page = _got(client, path, key=key, times=times)
        later = re.search(r'rel="next" href="([^"]+)"', page)
        if follow is not None and later and follow.random() < FOLLOWED:
            _got(client, later[1].replace("&amp;", "&"), key=key, times=times)
    return times


def _got(client: FlaskClient, path: str, *, key: str, times: _Times) -> str:
    began, worked = time.perf_counter(), time.process_time()
    answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
    page = answer.get_data(as_text=True)
    times.processor.append((time.process_time() - worked) * 1000)
    times.wall.append((time.perf_counter() - began) * 1000)
    assert answer.status_code == 200, (path, page[:300])
    return page


def size(db: Database) -> dict[str, float]:
    """Bytes a ticket: the whole file, the text people wrote (bodies and subjects), and what is beyond it."""
    n = db.value("SELECT count(*) FROM ticket")
    free = db.value("PRAGMA freelist_count")
    whole = (db.value("PRAGMA page_count") - free) * db.value("PRAGMA page_size")
    bodies = db.value("SELECT sum(length(CAST(body AS BLOB))) FROM message")
    cleaned = db.value("SELECT coalesce(sum(length(CAST(text_head AS BLOB))), 0) FROM message")
    subjects = db.value("SELECT sum(length(CAST(subject AS BLOB))) FROM ticket")
    return {
        "n_tickets": n,
        "n_messages": db.value("SELECT count(*) FROM message"),
        "n_facets": db.value("SELECT count(*) FROM facet WHERE n > 0"),
        "bytes_a_ticket": round(whole / n),
        "text_bytes_a_ticket": round((bodies + subjects) / n),
        "beyond_text_bytes_a_ticket": round((whole - bodies - subjects) / n),
        "of_which_cleaned_copy": round(cleaned / n),
    }


def measure(folder: Path) -> dict[str, Any]:
    """All of it, on a running server."""
    db, rng = database(folder), Random(5)
    key = token(folder)
    last = db.value("SELECT max(id) FROM ticket")
    tickets = [f"/tickets/{rng.randint(1, last)}" for _ in range(N_REQUESTS)]
    client = create_app(config.load({}, instance=folder)).test_client()
    _times(client, ["/tickets", "/tickets?q=order", tickets[0], tickets[1]], key=key)
    told: dict[str, Any] = {
        "inbox": _times(client, _filters(db, rng), key=key, follow=rng).told(),
        "ticket": _times(client, tickets, key=key).told(),
        "search": _times(client, _queries(db, rng), key=key).told(),
    }
    told |= {"size": size(db), "n_requests": N_REQUESTS}
    db.close()
    return told


def main() -> None:
    """Measure and write the part."""
    keep("read", measure(desk()))
