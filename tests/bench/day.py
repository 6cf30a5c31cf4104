"""A day of posts out of very many: how long the page of one day takes, and by which index it is found.

`python -m tests.bench day` fills a database with ten million posts over three years (several GB and minutes), each
naming one of 1,000 companies, and asks for a day of all posts, of one feed, one topic and one company. It writes
results/day.json: medians in ms over the rounds of the first page of 50 with its count, and SQLite's plan. `measure`
takes another number of posts. Search texts are left out of the filling.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from app.domain.market import PostFilter
from app.domain.people import SYSTEM
from app.domain.series import DAY_MS
from app.store import posts
from app.store.db import Database, open_database
from tests.bench.machine import machine

RESULT = Path(__file__).parent / "results" / "day.json"
POSTS = 10_000_000
CHUNK = 200_000
YEARS_MS = 3 * 365 * DAY_MS
SINCE = 1_700_000_000_000
ROUNDS = 15

_FILL = """WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :last)
INSERT INTO post (id, feed_id, external_id, title, body, text, occurred_at, received_at, topic, sentiment)
SELECT i + 1, 1 + i % 5, 'p' || i, 'Company ' || (i % 1000) || ' reports on matter ' || i, '',
'Company ' || (i % 1000) || ' reports on matter ' || i, :since + i * :step, :since + i * :step, 'topic_' || (i % 20),
CASE i % 3 WHEN 0 THEN 'negative' WHEN 1 THEN 'neutral' ELSE 'positive' END FROM n"""
_NAME = """INSERT INTO mention (post_id, entity_id, start, "end", surface, sentiment, occurred_at)
SELECT id, 1 + (id - 1) % 1000, 0, 7, 'Company', sentiment, occurred_at FROM post WHERE id > :first AND id <= :last"""


def _filled(db: Database, *, n_posts: int) -> float:
    began = time.perf_counter()
    connection = db.connection
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("DROP TRIGGER post_found")
    with db.transaction() as tx:
        for number in range(1, 6):
            tx.insert("feed", {"slug": f"f{number}", "name": f"Feed {number}", "kind": "push"})
        for number in range(1, 1001):
            tx.insert("entity", {"ticker": f"C{number}", "name": f"Company {number}"})
    for first in range(0, n_posts, CHUNK):
        last = min(first + CHUNK, n_posts)
        step = YEARS_MS // n_posts
        with db.transaction():
            connection.execute(_FILL, {"first": first, "last": last, "since": SINCE, "step": step})
            connection.execute(_NAME, {"first": first, "last": last})
    connection.execute("ANALYZE")
    return time.perf_counter() - began


def _asked() -> dict[str, PostFilter]:
    day = PostFilter(since=SINCE + YEARS_MS // 2, until=SINCE + YEARS_MS // 2 + DAY_MS)
    return {
        "every post": day,
        "one feed": replace(day, feed_id=3),
        "one topic": replace(day, topic="topic_7"),
        "one sentiment": replace(day, sentiment="negative"),
        "one company": replace(day, entity_id=42),
    }


def _measured(db: Database, chosen: PostFilter) -> dict[str, object]:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        page = posts.page(db, chosen, viewer=SYSTEM, limit=50)
        times.append(1000 * (time.perf_counter() - began))
    return {"median_ms": round(statistics.median(times), 2), "worst_ms": round(max(times), 2), "n_in_day": page.total}


def _plan(db: Database, chosen: PostFilter) -> list[str]:
    told: list[str] = []
    connection = db.connection
    connection.set_trace_callback(told.append)
    posts.page(db, chosen, viewer=SYSTEM, limit=50)
    connection.set_trace_callback(None)
    (sql,) = [one for one in told if one.lstrip().startswith("SELECT * FROM post")]
    return [row["detail"] for row in connection.execute("EXPLAIN QUERY PLAN " + sql)]


def main() -> None:
    """Measure with ten million posts."""
    measure(POSTS)


def measure(n_posts: int) -> None:
    """Fill, measure, and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(Path(folder) / "day.sqlite")
        fill_s = _filled(db, n_posts=n_posts)
        found = {name: {**_measured(db, chosen), "plan": _plan(db, chosen)} for name, chosen in _asked().items()}
        told = {
            "machine": machine(),
            "n_posts": n_posts,
            "fill_s": round(fill_s, 1),
            "file_mb": round(db.path.stat().st_size / 1e6),
            "day": found,
        }
        db.close()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({"n_posts": n_posts, **{name: row["median_ms"] for name, row in found.items()}}))
