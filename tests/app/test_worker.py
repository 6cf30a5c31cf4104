"""The worker: what waits is done, what fails stops nothing else, and a killed process loses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import worker
from app.core.db import open_database
from app.core.errors import NotReady
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft, TicketFilter
from app.desk.flows import file_ticket
from app.desk.store import inbox_query, messages
from app.desk.store import tickets as rows
from app.worker import Worker
from tests.app.duties import run_once
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy

DRAFT = TicketDraft(subject="", body="I want my refund now", channel="api")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Services on a new database, with the keyword engine."""
    db = open_database(tmp_path / "desk.sqlite")
    yield Services(db=db, engine=FakeEngine(), policy=make_policy())
    db.close()


def engine_of(services: Services) -> FakeEngine:
    """The keyword engine."""
    assert isinstance(services.engine, FakeEngine)
    return services.engine


def test_waiting_messages_are_read_by_the_threads(services: Services) -> None:
    engine = engine_of(services)
    engine.failure = NotReady()
    ticket_id = file_ticket.receive(services, DRAFT, viewer=SYSTEM).ticket.id
    engine.failure = None
    running = Worker(services, tick_seconds=0.05)
    running.start()
    deadline = time.monotonic() + 20
    while messages.n_pending(services.db) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.stop()
    assert rows.read(services.db, ticket_id).intent == "get_refund"


def test_one_duty_that_fails_does_not_stop_the_others(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(services: Services) -> int:
        raise ZeroDivisionError

    engine = engine_of(services)
    engine.failure = NotReady()
    file_ticket.receive(services, DRAFT, viewer=SYSTEM)
    engine.failure = None
    chosen = worker.duties(tick_seconds=1)
    assert [duty.name for duty in chosen] == [
        "claims of the dead",
        "rules",
        "feeds",
        "folders",
        "letters",
        "mailboxes",
        "notifications",
        "retries",
        "jobs",
        "waiting",
        "shadow",
        "upkeep",
    ]
    first = worker.Duty(name="broken", every_s=1, do=broken)
    monkeypatch.setattr(worker, "duties", lambda tick_seconds: (first, *chosen))
    assert run_once(services) == 1
    assert messages.n_pending(services.db) == 0


ACCEPTS_AND_HANGS = """
import sys, time
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket as tickets
from app.core.services import Services
from tests.app.policies import make_policy
from app.core.db import open_database
from app.registration import register_flows
register_flows()
from tests.app.duties import run_once
from tests.app.fake_engine import FakeEngine

class Hanging(FakeEngine):
    def classify(self, requests, **options):
        print("accepted", flush=True)
        time.sleep(60)

services = Services(db=open_database(sys.argv[1]), engine=Hanging(), policy=make_policy())
draft = TicketDraft(subject="", body="I want my refund now", channel="api", external_id="k-9")
tickets.receive(services, draft, viewer=SYSTEM)
"""


def test_a_process_killed_between_accepting_and_reading_loses_nothing(services: Services) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ACCEPTS_AND_HANGS), str(services.db.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "accepted\n"
        process.send_signal(signal.SIGKILL)
    (ticket,) = inbox_query.page(services.db, TicketFilter(), viewer=SYSTEM).items
    assert (ticket.external_id, ticket.intent) == ("k-9", None)
    assert run_once(services) == 1
    assert rows.read(services.db, ticket.id).intent == "get_refund"
