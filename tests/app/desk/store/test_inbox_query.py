"""Any filter in any order gives what a plain reading of all tickets gives, and counters equal recounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import Database, Transaction, open_database, statement
from app.core.permissions import SYSTEM, Viewer
from app.desk.domain.ticket import OPEN_STATUSES, Message, Sort, Status, Ticket, TicketFilter
from app.desk.store import customers, inbox_query, messages, ticket_search, tickets
from app.desk.store.ticket_filter import ORDERS, conditions

STATUSES: tuple[Status, ...] = ("new", "open", "pending", "solved", "closed")
CHOICES: dict[str, tuple[Any, ...]] = {
    "status": STATUSES,
    "queue_id": (1, 2, 3),
    "priority": ("low", "normal", "high", "urgent"),
    "intent": ("get_refund", "track_order", None),
    "sentiment": ("negative", "neutral", "positive", None),
    "intent_band": ("high", "medium", "low", None),
    "needs_person": (False, True),
    "language": ("en", "de"),
    "assignee_id": (None, 1, 2),
    "sla": ("ok", "at_risk", "breached"),
}
FACET = ("status", "queue_id", "priority", "intent", "sentiment", "intent_band", "language", "needs_person")
N = 900


def _drawn(rng: Random, number: int) -> Ticket:
    values: dict[str, Any] = {name: rng.choice(choices) for name, choices in CHOICES.items()}
    # The order keys come in few values, so that ties are common.
    values |= {"risk": rng.randrange(40), "created_at": rng.randrange(60), "updated_at": rng.randrange(60)}
    return Ticket(id=0, subject=f"Ticket {number}", channel="email", customer_id=1, **values)


def _say(tx: Transaction, ticket: Ticket, *, text: str) -> None:
    message = Message(
        id=0,
        ticket_id=ticket.id,
        kind="incoming",
        author_kind="customer",
        author_name="Ada",
        body=text,
        text=text,
        occurred_at=1,
        received_at=1,
    )
    messages.insert(tx, message)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Tickets of every kind; read only."""
    database, rng = open_database(tmp_path_factory.mktemp("inbox") / "desk.sqlite"), Random(3)
    with database.transaction() as tx:
        for slug in ("a", "b", "c"):
            tx.insert("queue", {"slug": slug, "title": slug, "intent_task": "commerce_intent"})
        for name in ("ada", "bo"):
            tx.insert("user", {"name": name, "email": f"{name}@example.com", "role": "agent"})
        customers.ensure(tx, name="Ada", email="ada@example.com")
        for number in range(N):
            ticket = tickets.insert(tx, _drawn(rng, number))
            _say(tx, ticket, text="my <b>umbrella</b> is late" if number % 9 == 0 else "my kettle is late")
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk of hundreds takes the ways of a million: walks end early, and few is less."""
    monkeypatch.setattr(inbox_query, "MOST_WALKED", 120)
    monkeypatch.setattr(inbox_query, "FEW", 20)


def _fits(row: Any, chosen: TicketFilter, viewer: Viewer) -> bool:
    named = {"queue_id", "priority", "intent", "sentiment", "language", "sla", "assignee_id"}
    return (
        (not chosen.status or row["status"] in chosen.status)
        and all(getattr(chosen, name) in (None, row[name]) for name in named)
        and chosen.band in (None, row["intent_band"])
        and chosen.needs_person in (None, bool(row["needs_person"]))
        and (not chosen.is_unassigned or row["assignee_id"] is None)
        and (viewer.queue_ids is None or row["queue_id"] in viewer.queue_ids)
    )


def _expected(db: Database, chosen: TicketFilter, *, viewer: Viewer, sort: Sort) -> list[int]:
    order = ORDERS[sort]
    rows = [row for row in db.rows("SELECT * FROM ticket") if _fits(row, chosen, viewer)]
    rows.sort(key=lambda row: (row[order.column], row["id"]), reverse=order.is_falling)
    return [row["id"] for row in rows]


def _walk(db: Database, chosen: TicketFilter, *, viewer: Viewer, sort: Sort) -> list[Ticket]:
    found: list[Ticket] = []
    after: str | None = None
    while True:
        page = inbox_query.page(db, chosen, viewer=viewer, limit=23, after=after, sort=sort)
        found += page.items
        after = page.after
        if after is None:
            assert page.total == len(found)
            return found


VIEWERS = (SYSTEM, replace(SYSTEM, queue_ids=frozenset({2})), replace(SYSTEM, queue_ids=frozenset()))
FILTERS = [
    TicketFilter(),
    TicketFilter(status=()),
    TicketFilter(status=STATUSES),
    TicketFilter(status=("solved",)),
    TicketFilter(status=("new", "closed")),
    TicketFilter(queue_id=2),
    TicketFilter(intent="get_refund", status=()),
    TicketFilter(sentiment="positive", band="low"),
    TicketFilter(priority="urgent", sla="breached", status=()),
    TicketFilter(needs_person=True, language="de"),
    TicketFilter(is_unassigned=True),
    TicketFilter(is_unassigned=True, sentiment="negative", status=()),
    TicketFilter(assignee_id=1),
    TicketFilter(assignee_id=2, status=(), priority="low"),
    TicketFilter(assignee_id=7),
    TicketFilter(intent="no_such_intent"),
    TicketFilter(queue_id=1, intent="track_order", sentiment="neutral", band="high", priority="high", status=()),
]


@pytest.mark.parametrize("sort", get_args(Sort))
@pytest.mark.parametrize("chosen", FILTERS, ids=range(len(FILTERS)))
def test_a_filter_in_any_order_gives_what_a_plain_reading_gives(db: Database, chosen: TicketFilter, sort: Sort) -> None:
    for viewer in VIEWERS:
        expected = _expected(db, chosen, viewer=viewer, sort=sort)
        assert [one.id for one in _walk(db, chosen, viewer=viewer, sort=sort)] == expected
        assert list(inbox_query.ids(db, chosen, viewer=viewer)) == sorted(expected)
        assert inbox_query.count(db, chosen, viewer=viewer) == (len(expected), False)


def test_the_walk_and_the_merge_are_both_taken_and_use_their_indices(db: Database) -> None:
    ways: Any = {"viewer": SYSTEM, "order": ORDERS["risk"], "beyond": ("", []), "limit": 30}
    assert inbox_query._walked(db, TicketFilter(), **ways) == inbox_query._merged(db, TicketFilter(), **ways)
    assert inbox_query._walked(db, TicketFilter(language="de", intent="get_refund", band="low"), **ways) is None
    where, params = scope.joined([("is_open = ?", [1])])
    for name in ORDERS:
        sql = statement("EXPLAIN QUERY PLAN SELECT id FROM ticket", where, ORDERS[name].sql, "LIMIT 50")
        plan = " ".join(row["detail"] for row in db.rows(sql, params))
        assert "USING INDEX" in plan
        assert "TEMP B-TREE" not in plan


@settings(max_examples=40)
@given(data=st.data())
def test_counters_equal_recounts_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    database = open_database(tmp_path_factory.mktemp("counted") / "desk.sqlite")
    rng = Random(data.draw(st.integers(0, 2**32)))
    with database.transaction() as tx:
        for slug in ("a", "b", "c"):
            tx.insert("queue", {"slug": slug, "title": slug, "intent_task": "t"})
        for name in ("ada", "bo"):
            tx.insert("user", {"name": name, "email": f"{name}@example.com", "role": "agent"})
        customers.ensure(tx, name="Ada", email=None)
        for number in range(12):
            tickets.insert(tx, _drawn(rng, number))
        for _ in range(data.draw(st.integers(0, 30))):
            name = rng.choice(list(CHOICES))
            was, change = tickets.read(tx, rng.randint(1, 12)), {name: rng.choice(CHOICES[name])}
            tickets.write(tx, was, replace(was, **change))
        tx.execute("DELETE FROM ticket WHERE id = ?", (rng.randint(1, 12),))
    rows = database.rows("SELECT * FROM ticket")
    true = Counter(
        (*(("" if row[name] is None else row[name]) for name in FACET), row["assignee_id"] is not None, row["sla"])
        for row in rows
    )
    kept = {tuple(row)[1:-1]: row["n"] for row in database.rows("SELECT * FROM facet WHERE n <> 0")}
    assert kept == true
    assert {row["facet_id"] for row in rows} == {row["id"] for row in database.rows("SELECT id FROM facet WHERE n > 0")}
    by_queue = Counter((row["queue_id"], row["status"]) for row in rows)
    counted = database.rows("SELECT queue_id, status, n FROM ticket_count WHERE n <> 0")
    assert {(row["queue_id"], row["status"]): row["n"] for row in counted} == by_queue
    database.close()


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ("umbrella", 100),
        ("umbr", 100),
        ("late umbrella", 100),
        ('umbr" OR "kettle', 0),
        ("!!!", N),
        ("kettle NOT late", 0),
    ],
)
def test_words_are_looked_for_and_no_syntax_is_an_error(db: Database, query: str, n: int) -> None:
    chosen = TicketFilter(query=query, status=())
    assert inbox_query.page(db, chosen, viewer=SYSTEM, limit=10).total == n
    assert len(inbox_query.ids(db, chosen, viewer=SYSTEM)) == n
    assert len(_walk(db, chosen, viewer=SYSTEM, sort="risk")) == n


def test_hits_are_shown_as_pieces_of_text_in_sight_only(db: Database) -> None:
    chosen = TicketFilter(query="umbrella", status=())
    page = inbox_query.page(db, chosen, viewer=VIEWERS[1], limit=5)
    assert {one.queue_id for one in page.items} == {2}
    found = ticket_search.snippets(db, "umbrella", ticket_ids=[one.id for one in page.items])
    assert found[page.items[0].id] == (("my <b>", False), ("umbrella", True), ("</b> is late", False))
    assert ticket_search.snippets(db, "!!", ticket_ids=[1]) == {}


def test_only_the_newest_messages_are_ranked(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_search, "MOST", 40)
    page = inbox_query.page(db, TicketFilter(query="kettle", status=()), viewer=SYSTEM, limit=50)
    assert page.is_capped
    assert page.total == 40
    assert min(one.id for one in page.items) > N - 60


def test_a_begun_word_is_completed_where_few_have_it_whole(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = inbox_query.page(db, TicketFilter(query="kettle", status=()), viewer=SYSTEM, limit=1).total
    assert inbox_query.page(db, TicketFilter(query="kett", status=()), viewer=SYSTEM, limit=1).total == whole
    monkeypatch.setattr(ticket_search, "ENOUGH", 0)
    assert inbox_query.page(db, TicketFilter(query="kett", status=()), viewer=SYSTEM, limit=1).total == 0
    assert inbox_query.page(db, TicketFilter(query="kettle", status=()), viewer=SYSTEM, limit=1).total == whole


def test_an_open_filter_says_which_side_it_is_on() -> None:
    assert conditions(TicketFilter(status=OPEN_STATUSES), viewer=SYSTEM)[0] == ("is_open = ?", [1])
