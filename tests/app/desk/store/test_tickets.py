"""The inbox as a query: filters, order, cursors, counters, scope, and the index behind each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.db import Database, Transaction, open_database
from app.core.errors import InputError
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import Customer, Message, Sort, Status, Ticket, TicketFilter, Urgency, UrgencyPart
from app.desk.store import customers, inbox_query, messages, tickets

STATUSES: tuple[Status, ...] = ("new", "open", "pending", "solved", "closed")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Three queues and two hundred tickets; read only."""
    database = open_database(tmp_path_factory.mktemp("inbox") / "desk.sqlite")
    with database.transaction() as tx:
        for slug in ("a", "b", "c"):
            tx.insert("queue", {"slug": slug, "title": slug, "intent_task": "commerce_intent"})
        customer = customers.ensure(tx, name="Ada", email="ada@example.com")
        for number in range(200):
            _ticket(tx, number, customer=customer)
    yield database
    database.close()


def _ticket(tx: Transaction, number: int, *, customer: Customer) -> Ticket:
    drawn = Ticket(
        id=0,
        subject=f"Ticket {number}",
        channel="email",
        status=STATUSES[number % 5],
        priority="normal",
        queue_id=1 + number % 3,
        customer_id=customer.id,
        created_at=1000 + number,
        updated_at=5000 - number,
        risk=number * 7 % 40,
        intent="get_refund" if number % 4 == 0 else "track_order",
        needs_person=number % 10 == 0,
    )
    ticket = tickets.insert(tx, drawn)
    word = "umbrella" if number % 50 == 0 else "kettle"
    message = Message(
        id=0,
        ticket_id=ticket.id,
        kind="incoming",
        author_kind="customer",
        author_name="Ada",
        body=word,
        text=f"my {word} number {number}",
        occurred_at=number,
        received_at=number,
    )
    messages.insert(tx, message)
    return ticket


def walk(db: Database, chosen: TicketFilter, *, sort: Sort = "risk", limit: int = 7) -> list[Ticket]:
    """Every page of a filter."""
    found: list[Ticket] = []
    after: str | None = None
    while True:
        page = inbox_query.page(db, chosen, viewer=SYSTEM, limit=limit, after=after, sort=sort)
        found += page.items
        after = page.after
        assert page.has_more == (after is not None)
        if after is None:
            assert page.total == len(found)
            return found


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("risk", lambda one: (-one.risk, -one.id)),
        ("newest", lambda one: (-one.created_at, -one.id)),
        ("oldest", lambda one: (one.created_at, one.id)),
        ("updated", lambda one: (-one.updated_at, -one.id)),
    ],
)
def test_pages_go_through_everything_once_in_order(db: Database, sort: Sort, key: object) -> None:
    found = walk(db, TicketFilter(), sort=sort)
    assert callable(key)
    assert len(found) == 120
    assert [one.id for one in found] == [one.id for one in sorted(found, key=key)]


@pytest.mark.parametrize(
    ("chosen", "n"),
    [
        (TicketFilter(status=()), 200),
        (TicketFilter(status=("solved",)), 40),
        (TicketFilter(status=("new", "closed")), 80),
        (TicketFilter(queue_id=2, status=()), 67),
        (TicketFilter(intent="get_refund", status=()), 50),
        (TicketFilter(needs_person=True, status=()), 20),
        (TicketFilter(is_unassigned=True), 120),
        (TicketFilter(assignee_id=1), 0),
        (TicketFilter(query="umbrella", status=()), 4),
        (TicketFilter(query='umbr" OR "kettle', status=()), 0),
        (TicketFilter(query="umbr", status=()), 4),
        (TicketFilter(query="!!!"), 120),
    ],
)
def test_filters_mean_what_they_say(db: Database, chosen: TicketFilter, n: int) -> None:
    assert len(walk(db, chosen, limit=50)) == n
    assert len(list(inbox_query.each(db, chosen, viewer=SYSTEM, chunk=30))) == n


def test_a_viewer_sees_only_their_queues(db: Database) -> None:
    viewer = replace(SYSTEM, queue_ids=frozenset({2}))
    page = inbox_query.page(db, TicketFilter(status=()), viewer=viewer, limit=100)
    assert {one.queue_id for one in page.items} == {2}
    assert inbox_query.page(db, TicketFilter(queue_id=1), viewer=viewer).items == ()
    assert set(tickets.counts(db, viewer=viewer)) == {2}
    assert inbox_query.page(db, TicketFilter(), viewer=replace(SYSTEM, queue_ids=frozenset())).total == 0


@pytest.mark.parametrize("after", ["", "x", "bm90IGpzb24", "WzFd", "WzEsIG51bGxd"])
def test_a_cursor_from_elsewhere_is_refused(db: Database, after: str) -> None:
    with pytest.raises(InputError, match="bad_cursor"):
        inbox_query.page(db, TicketFilter(), viewer=SYSTEM, after=after)


def test_counters_follow_every_change(tmp_path: Path) -> None:
    database = open_database(tmp_path / "desk.sqlite")
    with database.transaction() as tx:
        for slug in ("a", "b", "c"):
            tx.insert("queue", {"slug": slug, "title": slug, "intent_task": "t"})
        customer = customers.ensure(tx, name="Ada", email=None)
        for number in range(9):
            _ticket(tx, number, customer=customer)
        first, second, third = (tickets.read(tx, number) for number in (1, 2, 3))
        tickets.write(tx, first, replace(first, status="closed"))
        tickets.write(tx, second, replace(second, queue_id=3, subject="moved"))
        tickets.write(tx, third, replace(third, subject="same"))
    kept = database.rows("SELECT queue_id, status, n FROM ticket_count WHERE n > 0 ORDER BY 1, 2")
    true = database.rows("SELECT queue_id, status, count(*) AS n FROM ticket GROUP BY 1, 2 ORDER BY 1, 2")
    assert [tuple(row) for row in kept] == [tuple(row) for row in true]
    assert sum(tickets.status_counts(database, viewer=SYSTEM).values()) == 9
    database.close()


def test_urgency_is_kept_with_its_reasons(tmp_path: Path) -> None:
    database = open_database(tmp_path / "desk.sqlite")
    parts = (UrgencyPart(code="anger", points=12), UrgencyPart(code="words_now", points=10))
    urgency = Urgency(points=22, priority="normal", parts=parts)
    with database.transaction() as tx:
        tx.insert("queue", {"slug": "a", "title": "a", "intent_task": "t"})
        was = _ticket(tx, 0, customer=customers.ensure(tx, name="Ada", email=None))
        kept = tickets.write(tx, was, replace(was, urgency=urgency, tags=("x", "y")))
    assert tickets.read(database, 1) == kept
    assert (kept.urgency, kept.tags, kept.version) == (urgency, ("x", "y"), 2)
    assert json.loads(database.value("SELECT urgency_parts FROM ticket")) == [["anger", 12], ["words_now", 10]]
    database.close()
