"""Posts end to end: a file's rows read, classified, their companies found, joined to stories, counted, judged, stored.

`python -m tests.bench replay` reads both replay streams (98,810 rows) into a new database as the worker imports a file,
with the shipped artifact on two cores, and asks the rules after every day of the file. It writes results/replay.json:
posts per second on the wall, and where the time went. `measure` takes a cap on the rows of each stream.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.alerts.flows import tick_rules
from app.core.db import Database, Transaction
from app.core.durations import DAY_MS
from app.core.engine_interface import Request, Result
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import PostDraft
from app.market.flows import count_posts, ingest_posts
from app.market.flows.read_posts import PostRow
from app.market.store import buckets, feeds
from app.model.engine.opening import OpeningEngine
from tests.bench.machine import machine
from tests.bench.market.streams import STREAMS, Stream, monitor

RESULT = Path(__file__).parents[1] / "results" / "replay.json"


class Stopwatch:
    """Seconds spent in each part, and how often it was entered."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.n: Counter[str] = Counter()

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        """Count the time of the body."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - began
            self.n[part] += 1


def _timed_engine(engine: Any, *, watch: Stopwatch) -> None:
    """Count the time that reading takes; the engine stays the real one."""
    classify = engine.classify

    def timed(requests: Sequence[Request], **options: Any) -> list[Result]:
        with watch.running("model"):
            watch.n["texts"] += len(requests)
            found: list[Result] = classify(requests, **options)
        return found

    engine.classify = timed


def _timed_store(db: Database, *, watch: Stopwatch) -> None:
    """Count the time that write transactions take, their commits too."""
    transaction = db.transaction

    @contextmanager
    def timed(*, wait_ms: int | None = None) -> Iterator[Transaction]:
        with watch.running("transactions"), transaction(wait_ms=wait_ms) as tx:
            yield tx

    db.transaction = timed  # type: ignore[method-assign]


class Course:
    """The days of a file as they pass: the rules are asked when the last row of a day is stored."""

    def __init__(self, services: Services, *, watch: Stopwatch) -> None:
        self._services, self._watch = services, watch
        self._day_of: dict[int, int] = {}
        self._day: int | None = None
        self.n_days = self.n_fired = 0

    def noted(self, rows: Iterable[PostRow]) -> Iterator[PostRow]:
        """The same rows, whose days are remembered by their numbers."""
        for number, row in enumerate(rows, start=1):
            if isinstance(row, PostDraft) and row.occurred_at is not None:
                self._day_of[number] = row.occurred_at // DAY_MS
            yield row

    def passed(self, number: int) -> None:
        """A row is stored."""
        day = self._day_of.pop(number, self._day)
        if self._day is not None and day is not None and day > self._day:
            with self._watch.running("rules"):
                steps = tick_rules.tick(self._services, now=(self._day + 1) * DAY_MS)
            self.n_fired += sum(step.reason == "fired" for step in steps)
            self.n_days += 1
        self._day = day if self._day is None or day is None else max(day, self._day)


def played(services: Services, stream: Stream, *, n_rows: int | None, watch: Stopwatch) -> dict[str, Any]:
    """Read one stream as an import does; how many rows, posts, days and alerts there were, and how long it took."""
    feed = feeds.find_by_slug(services.db, stream.slug)
    assert feed is not None
    states: Counter[str] = Counter()
    course = Course(services, watch=watch)
    began = time.perf_counter()
    for one in ingest_posts.receive_each(services, feed.id, course.noted(stream.rows(n_rows=n_rows)), viewer=SYSTEM):
        states[one.state] += 1
        course.passed(one.row)
    seconds = time.perf_counter() - began
    return {
        "rows": states.total(),
        "posts": states["created"] + states["updated"],
        "failed": states["failed"],
        "days": course.n_days,
        "alerts": course.n_fired,
        "seconds": round(seconds, 2),
        "posts_a_second": round((states["created"] + states["updated"]) / seconds, 1),
        "rows_a_second": round(states.total() / seconds, 1),
    }


def measure(n_rows: int | None = None, *, model: str | None = None) -> dict[str, Any]:
    """Replay no more than `n_rows` of each stream, read by the shipped artifact or by `model`; the figures."""
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        services = monitor(Path(folder), model=model)
        assert isinstance(services.engine, OpeningEngine)
        services.engine.check()
        _timed_engine(services.engine, watch=watch)
        _timed_store(services.db, watch=watch)
        began = time.process_time()
        found = {stream.slug: played(services, stream, n_rows=n_rows, watch=watch) for stream in STREAMS}
        processor = time.process_time() - began
        is_exact = buckets.every(services.db) == count_posts.count_anew(services.db)
        services.engine.close()
        services.db.close()
    n_posts, seconds = (sum(one[key] for one in found.values()) for key in ("posts", "seconds"))
    return {
        "machine": machine(),
        "streams": found,
        "posts": n_posts,
        "seconds": round(seconds, 1),
        "posts_a_second": round(n_posts / seconds, 1),
        "processor_seconds": round(processor, 1),
        "texts": watch.n.pop("texts"),
        "part_seconds": {part: round(spent, 1) for part, spent in watch.seconds.items()},
        "part_calls": dict(watch.n),
        "counts_are_exact": is_exact,
    }


def main() -> None:
    """Measure all rows."""
    write(measure(), to=RESULT)


def write(told: dict[str, Any], *, to: Path) -> None:
    """Keep the figures and print those that are asked for."""
    to.parent.mkdir(exist_ok=True)
    to.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({key: told[key] for key in ("posts", "seconds", "posts_a_second", "part_seconds")}))
