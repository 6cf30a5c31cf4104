"""Writing at a million tickets: bulk and its undo, and tickets through the API with classification.

`python -m tests.bench desk_write` writes the part `write` of results/desk.json. Beside what a second on the wall
brings stands what a second of processor time brings: the same on a machine that does nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.core.db import Database, Transaction
from app.core.jobs import job_queue
from app.core.jobs import job_rows as rows
from app.core.services import Services
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import run_bulk_job
from app.model.engine.opening import open_engine
from app.people.flows import find_viewer
from app.people.store import users
from app.registration import register_flows
from tests.app.policies import make_policy
from tests.bench.desk.desk_data import ADMIN, database, desk, keep, token
from tests.process import Running, running

N_BULK = 10_000
N_FILED = 600
N_CLIENTS = 16
TEXTS = (
    "I want to track my order {n}, it was due on Monday.",
    "My card was stolen in town, reference {n}. I want my money back NOW",
    "How do I change the address of order {n}? Thank you.",
    "You charged me twice, {n} euros, this is unacceptable.",
)


class Timed(Database):
    """A database that notes how long each write transaction is open, from BEGIN to COMMIT, in milliseconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.times_ms: list[float] = []

    @contextmanager
    def transaction(self, *, wait_ms: int | None = None) -> Iterator[Transaction]:
        """The same, timed."""
        with super().transaction(wait_ms=wait_ms) as tx:
            began = time.perf_counter()
            yield tx
        self.times_ms.append((time.perf_counter() - began) * 1000)


def bulked(folder: Path) -> dict[str, Any]:
    """Ten thousand closed tickets get another priority, and that is taken back."""
    db = Timed(folder / "bellwether.sqlite")
    register_flows()
    services = Services(db=db, engine=open_engine(folders=[]), policy=make_policy())
    person = users.find_by_email(db, ADMIN)
    assert person is not None
    viewer = find_viewer.viewer_for(services, person)
    last = db.value("SELECT max(id) FROM ticket")
    chosen = TicketFilter(status=("closed",), priority="low")
    keepers = [row[0] for row in db.rows("SELECT id FROM ticket WHERE status = 'closed' AND priority = 'low'")][N_BULK:]
    order = run_bulk_job.order_of(chosen, action="set_priority", params={"priority": "normal"}, exclude_ids=keepers)
    told: dict[str, Any] = {"n_tickets": last}
    job = run_bulk_job.begin(services, order, viewer=viewer)
    told["bulk"] = _timed(services, job.id)
    told["undo"] = _timed(services, run_bulk_job.undo(services, job.id, viewer=viewer).id)
    db.close()
    return told


def _timed(services: Services, job_id: int) -> dict[str, float]:
    db = services.db
    assert isinstance(db, Timed)
    db.times_ms.clear()
    began, worked = time.perf_counter(), time.process_time()
    job_queue.run_due(services)
    took_s, worked_s = time.perf_counter() - began, time.process_time() - worked
    job = rows.get(db, job_id)
    assert (job.state, job.n_failed) == ("completed", 0), job
    times = sorted(db.times_ms)
    return {
        "n": job.n_done,
        "tickets_a_second": round(job.n_done / took_s),
        "tickets_a_processor_second": round(job.n_done / worked_s),
        "transaction_p95_ms": round(times[int(len(times) * 0.95)], 1),
        "transaction_max_ms": round(times[-1], 1),
    }


def filed(folder: Path) -> dict[str, Any]:
    """Tickets filed over HTTP by several clients at once, each answered after the model has read it."""
    key = token(folder)
    with running(folder, token=key) as app:
        app.wait_until_answered("/predict", body={"inputs": "warm up"})
        _file(app, range(64))
        began, worked = time.perf_counter(), _worked_s(app)
        waiting = _file(app, range(64, 64 + N_FILED))
        took_s, worked_s = time.perf_counter() - began, _worked_s(app) - worked
    return {
        "n": N_FILED,
        "n_clients": N_CLIENTS,
        "tickets_a_second": round(N_FILED / took_s, 1),
        "tickets_a_processor_second": round(N_FILED / worked_s, 1),
        "unread": waiting,
    }


def _worked_s(app: Running) -> float:
    """Processor seconds of the server so far."""
    return sum(sum(process.cpu_times()[:2]) for process in app.family())


def _file(app: Running, numbers: range) -> int:
    rest, lock, unread = iter(numbers), threading.Lock(), 0

    def client() -> None:
        nonlocal unread
        while True:
            with lock:
                number = next(rest, None)
            if number is None:
                return
            body = TEXTS[number % len(TEXTS)].format(n=f"{time.time_ns() % 10**9}-{number}")
            status, made = app.call("/api/v1/tickets", body={"body": body, "queue": "shop-intake"}, timeout_s=120)
            assert status == 201, made
            with lock:
                unread += made["urgency"] is None

    threads = [threading.Thread(target=client) for _ in range(N_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return unread


def main() -> None:
    """Measure and write the part."""
    folder = desk()
    database(folder).close()
    keep("write", {**bulked(folder), "filed": filed(folder)})
