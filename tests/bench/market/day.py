"""A day of posts out of very many: how long its page takes, over HTTP and in the store, and by which index it is found.

`python -m tests.bench day` fills a database with ten million posts over three years (some GB and minutes, deleted
afterwards), half as many stories, and a mention of one of 1,000 companies in each. It starts the server on it and asks
for a day of all posts, of one feed, one topic, one sentiment and one company. It writes results/day.json: medians in ms
of the page of 50 with its count, of the store's part of it, and SQLite's plan. `measure` takes another number of posts.
Search texts and hourly counts are left out of the filling; the page of a day reads neither.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.core.db import Database, open_database
from app.core.durations import DAY_MS
from app.core.permissions import SYSTEM
from app.market.domain.market import PostFilter
from app.market.store import posts
from tests.bench.desk.desk_data import fetch
from tests.bench.machine import machine
from tests.process import prepare, running

RESULT = Path(__file__).parents[1] / "results" / "day.json"
POSTS = 10_000_000
CHUNK = 500_000
YEARS_MS = 3 * 365 * DAY_MS
SINCE = 1_700_006_400_000
"""Midnight of 15 November 2023, UTC."""

ROUNDS = 15
FILLED = ("post", "mention", "story")

_FILL = """WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :last)
INSERT INTO post (id, feed_id, external_id, title, body, text, occurred_at, received_at, story_id, topic, sentiment,
sentiment_score) SELECT i + 1, 1 + i % 5, 'p' || i, 'Company ' || (i % 1000) || ' reports on matter ' || i, '',
'Company ' || (i % 1000) || ' reports on matter ' || i, :since + i * :step, :since + i * :step, 1 + i / 2,
'topic_' || (i % 20), CASE i % 3 WHEN 0 THEN 'negative' WHEN 1 THEN 'neutral' ELSE 'positive' END, (i % 3 - 1) * 0.8
FROM n"""
_NAME = """INSERT INTO mention (post_id, entity_id, start, "end", surface, sentiment, occurred_at)
SELECT id, 1 + (id - 1) % 1000, 0, 7, 'Company', sentiment, occurred_at FROM post WHERE id > :first AND id <= :last"""
_TELL = """INSERT INTO story (id, key, title, first_at, last_at) SELECT story_id, printf('%032x', story_id), title,
occurred_at, occurred_at + :step FROM post WHERE id > :first AND id <= :last AND id % 2 = 1"""


@contextmanager
def _plain(connection: sqlite3.Connection) -> Iterator[None]:
    """Without indices and triggers, which are made again in one go: that is many times faster than row by row."""
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL "
        "AND tbl_name IN (SELECT value FROM json_each(?))",
        (json.dumps(FILLED),),
    ).fetchall()
    for kind, name, _ in rows:
        connection.execute(f"DROP {kind} {name}")
    for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}")
    yield
    for _, _, sql in rows:
        connection.execute(sql)


def filled(db: Database, *, n_posts: int) -> float:
    """Fill the database; how many seconds that took."""
    began = time.perf_counter()
    connection, step = db.connection, YEARS_MS // n_posts
    with db.transaction() as tx:
        for number in range(1, 6):
            tx.insert("feed", {"slug": f"f{number}", "name": f"Feed {number}", "kind": "push"})
        for number in range(1, 1001):
            tx.insert("entity", {"ticker": f"C{number}", "name": f"Company {number}"})
    with _plain(connection):
        for first in range(0, n_posts, CHUNK):
            bounds = {"first": first, "last": min(first + CHUNK, n_posts), "since": SINCE, "step": step}
            with db.transaction():
                for sql in (_FILL, _NAME, _TELL):
                    connection.execute(sql, bounds)
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return time.perf_counter() - began


def _asked() -> dict[str, PostFilter]:
    since = SINCE + YEARS_MS // 2 // DAY_MS * DAY_MS
    day = PostFilter(since=since, until=since + DAY_MS)
    return {
        "every post": day,
        "one feed": replace(day, feed_id=3),
        "one topic": replace(day, topic="topic_7"),
        "one sentiment": replace(day, sentiment="negative"),
        "one company": replace(day, entity_id=42),
    }


def _address(chosen: PostFilter) -> str:
    """The page of a filter."""
    given = {
        "since": chosen.since,
        "until": chosen.until,
        "feed": chosen.feed_id,
        "topic": chosen.topic,
        "sentiment": chosen.sentiment,
        "entity": chosen.entity_id,
    }
    return "/market/posts?" + urlencode({name: value for name, value in given.items() if value is not None})


def _times(ask: Any) -> dict[str, float]:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - began))
    found = {"first_ms": times[0], "median_ms": statistics.median(times), "worst_ms": max(times)}
    return {name: round(ms, 1) for name, ms in found.items()}


def _plan(db: Database, chosen: PostFilter) -> list[str]:
    told: list[str] = []
    connection = db.connection
    connection.set_trace_callback(told.append)
    posts.page(db, chosen, viewer=SYSTEM, limit=50)
    connection.set_trace_callback(None)
    (sql,) = [one for one in told if one.lstrip().startswith("SELECT * FROM post")]
    return [row["detail"] for row in connection.execute("EXPLAIN QUERY PLAN " + sql)]


def asked(folder: Path, *, token: str) -> dict[str, Any]:
    """Each filter's page over HTTP, then its part in the store."""
    found: dict[str, Any] = {}
    with running(folder, token=token) as server:
        server.wait_until_answered("/api/v1/feeds")
        for name, chosen in _asked().items():
            url = server.url + _address(chosen)
            assert b"Company" in fetch(url, token=token)
            found[name] = {"page": _times(lambda url=url: fetch(url, token=token))}
    db = open_database(folder / "bellwether.sqlite")
    for name, chosen in _asked().items():
        found[name]["n_in_day"] = posts.page(db, chosen, viewer=SYSTEM, limit=50).total
        found[name]["store"] = _times(lambda chosen=chosen: posts.page(db, chosen, viewer=SYSTEM, limit=50))
        found[name]["plan"] = _plan(db, chosen)
    db.close()
    return found


def main() -> None:
    """Measure with ten million posts."""
    measure(POSTS)


def measure(n_posts: int, *, is_kept: bool = False) -> None:
    """Fill, measure, and write the result; `is_kept` leaves the database for another time."""
    folder = Path(tempfile.gettempdir()) / f"bellwether-day-{n_posts}"
    if not (folder / "ready.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        token = prepare(folder)
        db = open_database(folder / "bellwether.sqlite")
        fill_s = filled(db, n_posts=n_posts)
        db.close()
        (folder / "ready.json").write_text(json.dumps({"token": token, "fill_s": round(fill_s, 1)}), encoding="utf-8")
    ready = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    told = {
        "machine": machine(),
        "n_posts": n_posts,
        "fill_s": ready["fill_s"],
        "file_mb": round((folder / "bellwether.sqlite").stat().st_size / 1e6),
        "day": asked(folder, token=ready["token"]),
    }
    if not is_kept:
        shutil.rmtree(folder)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({"n_posts": n_posts, **{name: row["page"]["median_ms"] for name, row in told["day"].items()}}))
