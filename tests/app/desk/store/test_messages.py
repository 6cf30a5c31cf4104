"""Messages in the search index: what is rewritten or erased is found by its new words alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.db import Database, open_database
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import Message, Ticket, TicketFilter
from app.desk.store import erasure, inbox_query, messages, tickets

TEXTS = (
    ("Where is it?", "Order 7\nWhere is it?"),
    ("Hello\n\n-- \nBo", "Hello"),
    ("> you wrote", ""),
    ("one\n> two\nthree", "one\nthree"),
    ("退货 🙂\n\n-- \nBo", "Return\n退货 🙂"),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A ticket with a message of every kind of text, and a history that repeats some of its words."""
    database = open_database(tmp_path / "desk.sqlite")
    with database.transaction() as tx:
        queue_id = tx.insert("queue", {"slug": "q", "title": "Q", "intent_task": "banking_intent"})
        customer_id = tx.insert("customer", {"name": "C", "email": "c@example.com"})
        ticket = Ticket(
            id=0,
            subject="S",
            channel="email",
            status="open",
            priority="normal",
            queue_id=queue_id,
            customer_id=customer_id,
            created_at=1,
            updated_at=1,
        )
        tickets.insert(tx, ticket)
        for number, (body, text) in enumerate(TEXTS):
            message = Message(
                id=0,
                ticket_id=1,
                kind="incoming",
                author_kind="customer",
                author_name="C",
                body=body,
                text=text,
                occurred_at=number,
                received_at=number,
            )
            assert messages.get(tx, messages.insert(tx, message).id) == replace(message, id=number + 1)
        event = Event(actor_kind="agent", actor_id="1", verb="edited", noun="ticket", noun_id=1, at=9)
        event_log.record_all(tx, [replace(event, before={"subject": "A", "body": "B"}, after={"subject": "C"})])[0]
        event_log.record_all(tx, [replace(event, before={"status": "open"}, after={"tags": ["x"]})])[0]
    yield database
    database.close()


def found(db: Database, query: str) -> int:
    """How many tickets are found by a word."""
    return inbox_query.count(db, TicketFilter(query=query), viewer=SYSTEM)[0]


def test_a_message_is_read_as_it_was_written(db: Database) -> None:
    assert [(one.body, one.text) for one in messages.of_ticket(db, 1)] == list(TEXTS)
    assert [found(db, word) for word in ("where", "hello", "three", "退货", "bo")] == [1, 1, 1, 1, 0]


def test_a_text_that_changes_is_found_anew(db: Database) -> None:
    with db.transaction() as tx:
        messages.rewrite(tx, replace(messages.get(tx, 1), body="Parcel", text="Heron\nParcel"))
    assert [found(db, word) for word in ("heron", "parcel", "where", "退货")] == [1, 1, 0, 1]
    with db.transaction() as tx:
        erasure.erase_ticket(tx, 1)
    assert [found(db, word) for word in ("heron", "parcel", "退货", "hello")] == [0, 0, 0, 0]
    history = [(dict(one.before), dict(one.after)) for one in event_log.of(db, "ticket", 1)]
    assert history == [({}, {}), ({"status": "open"}, {})]
    db.connection.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')")
