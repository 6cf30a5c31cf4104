"""From the evaluation that makes an alert fire to the first attempt to send it, without any group wait.

`python -m tests.bench telling` starts a real worker process with the shipped artifact on a new database, and a real
HTTP receiver. Headlines on one company after another come in, and a rule fires at the worker's next tick. What counts
is the time from the beginning of that evaluation (the alert's `firing_at`) to the request at the receiver. It writes
results/telling.json: seconds, the median and the worst of all rounds.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alerts as rows
from app.core import changes, clock
from app.core.db import open_database
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.model.engine.opening import open_engine
from app.notify.flows.keep_receivers import RECEIVER
from app.registration import register_flows
from tests import shipped
from tests.app.policies import make_policy
from tests.bench.machine import machine
from tests.process import ROOT

RESULT = Path(__file__).parents[1] / "results" / "telling.json"
ROUNDS = 40
TICK_S = 0.7
"""Short, so that many rounds take a minute, and of no round length: the phases of the worker's duties vary."""

LIMIT_S = 120.0


class Receiver(BaseHTTPRequestHandler):
    """Notes when each alert came."""

    def do_POST(self) -> None:
        at = clock.now_ms()
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.arrivals[told["data"]["alert"]["subject"]] = at  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[tuple[str, dict[str, int]]]:
    """A receiver's address, and when (ms) it heard of each subject."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    arrivals: dict[str, int] = {}
    server.arrivals = arrivals  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", arrivals
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def working(instance: Path, *, models: Path) -> Iterator[None]:
    """`python -m app worker` on an instance folder, until the end of the body."""
    own = {
        "BELLWETHER_INSTANCE": str(instance),
        "BELLWETHER_MODELS": str(models),
        "BELLWETHER_TICK_SECONDS": str(TICK_S),
        "BELLWETHER_IS_FETCHING_PRIVATE": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "app", "worker"], cwd=ROOT, env={**os.environ, **own})
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def delays(folder: Path, *, models: Path, n_rounds: int) -> list[float]:
    """Seconds from firing to the first attempt, of one alert after another."""
    register_flows()
    db = open_database(folder / "bellwether.sqlite")
    # Without a model of its own this process leaves the reading to the worker.
    services = Services(db=db, engine=open_engine(folders=(folder,)), policy=make_policy(is_fetching_private=True))
    names = [f"Northwharf{number}" for number in range(n_rounds)]
    for number, name in enumerate(names):
        changes.add(services.db, ENTITY, {"ticker": f"T{number}", "name": name}, viewer=SYSTEM)
    feed = changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM).row
    changes.add(services.db, RULE, {"name": "Every mention", "kind": "mention", "min_negative": 0}, viewer=SYSTEM)
    with receiving() as (url, arrivals), working(folder, models=models):
        changes.add(services.db, RECEIVER, {"name": "Hook", "kind": "webhook", "url": url}, viewer=SYSTEM)
        for name in names:
            draft = PostDraft(external_id=name, title=f"{name} halts two lines after a fire at its mill")
            ingest_posts.receive(services, feed.id, [draft], viewer=SYSTEM)
            _wait_for(arrivals, name)
            time.sleep(random.random())
    fired = {one.subject_id: one.firing_at for one in rows.page(db, limit=n_rounds).items}
    services.engine.close()  # type: ignore[attr-defined]
    db.close()
    return [(arrivals[name] - (fired[str(at)] or 0)) / 1000 for at, name in enumerate(names, start=1)]


def _wait_for(arrivals: dict[str, int], name: str) -> None:
    end = time.monotonic() + LIMIT_S
    while name not in arrivals:
        if time.monotonic() > end:
            raise RuntimeError(f"nobody was told of {name} within {LIMIT_S:.0f} s")
        time.sleep(0.01)


def measure(n_rounds: int = ROUNDS) -> dict[str, Any]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = delays(Path(folder), models=shipped.MODELS, n_rounds=n_rounds)
    return {
        "machine": machine(),
        "rounds": n_rounds,
        "median_s": round(statistics.median(found), 3),
        "worst_s": round(max(found), 3),
    }


def main() -> None:
    """Measure and write the result."""
    told = measure()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: told[key] for key in ("rounds", "median_s", "worst_s")}))
