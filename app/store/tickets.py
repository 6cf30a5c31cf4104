"""Tickets in the order of the inbox, within the viewer's queues."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from app.domain.people import Viewer
from app.domain.ticket import OPEN_STATUSES, Ticket, TicketFilter, Urgency, UrgencyPart
from app.errors import NotFound
from app.store import pages, scope, search
from app.store.db import Reads, Transaction, marks, statement
from app.store.pages import Page
from app.store.rows import built
from app.store.scope import Condition

Sort = Literal["risk", "newest", "oldest", "updated"]

# Words are looked up in the newest messages that have them: a common word stays quick among millions.
MOST_SEARCHED = 5000

_ORDERS: dict[Sort, tuple[str, str]] = {
    "risk": ("risk DESC, id DESC", "(risk, id) < (?, ?)"),
    "newest": ("created_at DESC, id DESC", "(created_at, id) < (?, ?)"),
    "oldest": ("created_at, id", "(created_at, id) > (?, ?)"),
    "updated": ("updated_at DESC, id DESC", "(updated_at, id) < (?, ?)"),
}
_KEYS: dict[Sort, str] = {"risk": "risk", "newest": "created_at", "oldest": "created_at", "updated": "updated_at"}

_SEARCH = """id IN (SELECT ticket_id FROM message WHERE id IN
(SELECT rowid FROM message_search WHERE message_search MATCH ? ORDER BY rowid DESC LIMIT ?))"""


def _ticket(row: sqlite3.Row) -> Ticket:
    return built(Ticket, row, tuples=("tags",), flags=("needs_person",), urgency=_urgency(row))


def _urgency(row: sqlite3.Row) -> Urgency | None:
    if row["urgency"] is None:
        return None
    parts = tuple(UrgencyPart(code=code, points=points) for code, points in json.loads(row["urgency_parts"]))
    return Urgency(points=row["urgency"], priority=row["priority"], parts=parts)


def get(db: Reads, ticket_id: int, *, viewer: Viewer) -> Ticket:
    """The ticket with this id; raises NotFound, out of the viewer's scope too."""
    ticket = _ticket(db.got("ticket", ticket_id))
    if viewer.queue_ids is not None and ticket.queue_id not in viewer.queue_ids:
        raise NotFound(noun="ticket", id=ticket_id)
    return ticket


def read(db: Reads, ticket_id: int) -> Ticket:
    """The ticket with this id for the flows themselves, whose scope is everything; raises NotFound."""
    return _ticket(db.got("ticket", ticket_id))


def find_by_external_id(db: Reads, external_id: str) -> Ticket | None:
    """The ticket that another system knows by this id."""
    row = db.row("SELECT * FROM ticket WHERE external_id = ?", (external_id,))
    return None if row is None else _ticket(row)


def conditions(chosen: TicketFilter, *, viewer: Viewer) -> list[Condition]:
    """What a filter means in SQL, within the viewer's queues."""
    plain: dict[str, Any] = {
        "queue_id = ?": chosen.queue_id,
        "intent = ?": chosen.intent,
        "sentiment = ?": chosen.sentiment,
        "priority = ?": chosen.priority,
        "intent_band = ?": chosen.band,
        "assignee_id = ?": chosen.assignee_id,
        "needs_person = ?": chosen.needs_person,
        "language = ?": chosen.language,
    }
    found: list[Condition] = [(text, [value]) for text, value in plain.items() if value is not None]
    if chosen.is_unassigned:
        found.append(("assignee_id IS NULL", []))
    expression = search.words(chosen.query)
    if expression:
        found.append((_SEARCH, [expression, MOST_SEARCHED]))
    return [*_statuses(chosen.status), *found, scope.of_queues(viewer)]


def _statuses(wanted: Sequence[str]) -> list[Condition]:
    if not wanted:
        return []
    if set(wanted) == set(OPEN_STATUSES):
        return [("is_open = 1", [])]
    # `is_open` leads the indices; saying it lets them serve a single status too.
    is_open = {status in OPEN_STATUSES for status in wanted}
    sides: list[Condition] = [("is_open = ?", [is_open.pop()])] if len(is_open) == 1 else []
    return [*sides, ("status IN " + marks(wanted), list(wanted))]


def page(
    db: Reads,
    chosen: TicketFilter,
    *,
    viewer: Viewer,
    limit: int = 50,
    after: str | None = None,
    sort: Sort = "risk",
) -> Page[Ticket]:
    """One page of the inbox; raises InputError for a cursor that was not made here."""
    order, beyond = _ORDERS[sort]
    return pages.paged(
        db,
        table="ticket",
        conditions=conditions(chosen, viewer=viewer),
        order=order,
        beyond=("", []) if after is None else (beyond, pages.keys(after, n=2)),
        make=_ticket,
        key=lambda row: (row[_KEYS[sort]], row["id"]),
        limit=limit,
    )


def each(db: Reads, chosen: TicketFilter, *, viewer: Viewer, chunk: int = 500) -> Iterator[Ticket]:
    """Every ticket of a filter by id, read in chunks so that no reader holds the database for long."""
    last = 0
    while True:
        where, params = scope.joined([*conditions(chosen, viewer=viewer), ("id > ?", [last])])
        rows = db.rows(statement("SELECT * FROM ticket", where, "ORDER BY id LIMIT ?"), [*params, chunk])
        if not rows:
            return
        yield from (_ticket(row) for row in rows)
        last = rows[-1]["id"]


def of_customer(db: Reads, customer_id: int, *, viewer: Viewer, limit: int = 20) -> tuple[Ticket, ...]:
    """A customer's tickets, newest first."""
    where, params = scope.joined([("customer_id = ?", [customer_id]), scope.of_queues(viewer)])
    rows = db.rows(statement("SELECT * FROM ticket", where, "ORDER BY id DESC LIMIT ?"), [*params, limit])
    return tuple(_ticket(row) for row in rows)


def counts(db: Reads, *, viewer: Viewer) -> dict[int, int]:
    """Open tickets by queue id, from counters that every change keeps exact."""
    where, params = scope.joined([("status IN " + marks(OPEN_STATUSES), list(OPEN_STATUSES)), scope.of_queues(viewer)])
    rows = db.rows(statement("SELECT queue_id, sum(n) AS n FROM ticket_count", where, "GROUP BY queue_id"), params)
    return {row["queue_id"]: row["n"] for row in rows}


def status_counts(db: Reads, *, viewer: Viewer) -> dict[str, int]:
    """Tickets by status, from the same counters."""
    where, params = scope.joined([scope.of_queues(viewer)])
    rows = db.rows(statement("SELECT status, sum(n) AS n FROM ticket_count", where, "GROUP BY status"), params)
    return {row["status"]: row["n"] for row in rows}


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Add a ticket with these columns; returns its id."""
    return tx.insert("ticket", values)


def update(tx: Transaction, ticket_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Ticket:
    """Change a ticket; `urgency` may be an Urgency. Raises NotFound or Stale."""
    columns = dict(changes)
    if isinstance(columns.get("urgency"), Urgency):
        urgency: Urgency = columns["urgency"]
        columns["urgency"] = urgency.points
        columns["urgency_parts"] = [(part.code, part.points) for part in urgency.parts]
    tx.change("ticket", ticket_id, changes=columns, version=version)
    return _ticket(tx.got("ticket", ticket_id))


def set_risks(tx: Transaction, *, risks: Mapping[int, int]) -> None:
    """Write the inbox sort keys; a risk is no edit, so versions stay."""
    tx.execute_many("UPDATE ticket SET risk = ? WHERE id = ?", [(risk, key) for key, risk in risks.items()])


def open_after(db: Reads, ticket_id: int, *, limit: int) -> tuple[Ticket, ...]:
    """Open tickets with a later id, for walking over all of them."""
    rows = db.rows("SELECT * FROM ticket WHERE is_open = 1 AND id > ? ORDER BY id LIMIT ?", (ticket_id, limit))
    return tuple(_ticket(row) for row in rows)


def count_message(tx: Transaction, ticket_id: int, *, n: int = 1) -> None:
    """So many more messages in the thread; that is no edit of the ticket, so the version stays."""
    tx.execute("UPDATE ticket SET n_messages = n_messages + ? WHERE id = ?", (n, ticket_id))


def is_priority_set(db: Reads, ticket_id: int) -> bool:
    """Whether a person chose the priority, which the model then leaves alone."""
    return bool(db.value("SELECT is_priority_set FROM ticket WHERE id = ?", (ticket_id,)))
