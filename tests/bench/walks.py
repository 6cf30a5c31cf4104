"""The lengths of four ways through the house: files that run, calls from one file into another, SQL statements.

`python -m tests.bench walks` prints the table of `app/README.md`. Each way is walked twice on a small installation with
an engine that answers by keywords, and the second walk is counted. Files and calls are those of `app/` and `models/`; a
call through the standard library (`with db.transaction()`) belongs to the file that makes it. Statements are those that
the house asks of SQLite, save BEGIN, COMMIT, savepoints and pragmas; one of many rows counts once, triggers do not.
"""

from __future__ import annotations

import dis
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from app.alerts.flows import keep_rules, tick_rules
from app.core import changes
from app.core.db import Database, open_database
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import correct_message, file_ticket, keep_queues
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.people.flows import find_viewer, keep_accounts
from app.registration import register_flows
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy
from tests.bench.tables import table

ROOT = Path(__file__).parents[2]
HOUSE = (f"{ROOT}/app/", f"{ROOT}/models/")
UNCOUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")
START = bytes([dis.opmap["RESUME"], 0])
TASK = "commerce_intent"


@dataclass
class Walk:
    """What one way ran: its files, calls by the files they go from and to, statements."""

    files: set[str] = field(default_factory=set)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    statements: list[str] = field(default_factory=list)
    _is_asking: bool = False

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        """Count a call; `sys.setprofile` calls this."""
        if event == "c_call" and argument.__name__ in ("execute", "executemany"):
            self._is_asking = isinstance(argument.__self__, sqlite3.Connection)
        here = frame.f_code.co_filename
        # A generator that goes on resumes with another argument than one that starts.
        if event != "call" or not here.startswith(HOUSE) or frame.f_code.co_code[frame.f_lasti :][:2] != START:
            return
        self.files.add(here)
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(HOUSE):
            caller = caller.f_back
        if caller is not None and caller.f_code.co_filename != here:
            self.calls[caller.f_code.co_filename, here] += 1

    def hear(self, sql: str) -> None:
        """Keep the first statement that SQLite reports after it was asked for one; the others are those of triggers."""
        if self._is_asking and not sql.startswith(UNCOUNTED):
            self.statements.append(sql)
        self._is_asking = False


@contextmanager
def _walking(db: Database) -> Iterator[Walk]:
    walk = Walk()
    db.connection.set_trace_callback(walk.hear)
    sys.setprofile(walk.see)
    try:
        yield walk
    finally:
        sys.setprofile(None)
        db.connection.set_trace_callback(None)


@contextmanager
def _installation() -> Iterator[Services]:
    """Two queues, the second of which the model may choose, a feed, a company and the first rule of alerts."""
    register_flows()
    with tempfile.TemporaryDirectory() as folder:
        services = Services(db=open_database(Path(folder) / "w.sqlite"), engine=FakeEngine(), policy=make_policy())
        slugs = ("inbox", "refunds")
        ids = [keep_queues.add_queue(services, viewer=SYSTEM, slug=slug, title=slug).id for slug in slugs]
        route = partial(keep_queues.set_route_rule, services, viewer=SYSTEM, task=TASK, queue_id=ids[1])
        for intent in ("get_refund", "complaint"):
            route(intent=intent, is_trusted=True)
        company = {"ticker": "NWHL", "name": "Northwharf", "aliases": ("Northwharf",)}
        changes.add(services.db, ENTITY, company, viewer=SYSTEM)
        changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
        with services.db.transaction() as tx:
            keep_rules.first_rule(tx, services)
        yield services
        services.db.close()


def _ways(services: Services) -> dict[str, Callable[[], object]]:
    """The ways by name; each can be walked again and again."""
    person = keep_accounts.add_user(services, viewer=SYSTEM, name="Ines", email="ines@example.com", role="agent")
    agent, numbers, tickets = find_viewer.viewer_for(services, person), count(1), list[int]()

    def file() -> None:
        sent = TicketDraft(subject="Refund", body="I want a refund for order 7 now", channel="email")
        address = f"{next(numbers)}@example.com"
        draft = replace(sent, message_id=address, customer_email=address)
        tickets.append(file_ticket.receive(services, draft, viewer=SYSTEM).ticket.id)

    def ingest() -> None:
        draft = PostDraft(external_id=f"p{next(numbers)}", title="Northwharf falls after strike")
        ingest_posts.receive(services, 1, [draft], viewer=SYSTEM)

    def correct() -> None:
        correct_message.correct(services, tickets.pop(), viewer=agent, label="complaint", task=TASK)

    return {
        "a ticket is filed": file,
        "a post is ingested": ingest,
        "the alert rules tick": lambda: tick_rules.tick(services),
        "a ticket is corrected": correct,
    }


@cache
def walks() -> dict[str, Walk]:
    """Walk every way and return what it ran."""
    found = dict[str, Walk]()
    with _installation() as services:
        for name, way in _ways(services).items():
            way()
            with _walking(services.db) as found[name]:
                way()
    return found


def rendered() -> str:
    """The table that `app/README.md` shows."""
    rows = [(n, str(len(w.files)), str(w.calls.total()), str(len(w.statements))) for n, w in walks().items()]
    return table(("Way", "Files", "Calls into other files", "SQL statements"), rows)


def main() -> None:
    """Print the table."""
    print(rendered())
