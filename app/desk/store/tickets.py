"""Tickets, within the viewer's queues; lists of them are the inbox's."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

from app.core import scope
from app.core.db import Reads, Transaction, marks, statement
from app.core.errors import NotFound
from app.core.nouns import Fields
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.desk.domain.ticket import OPEN_STATUSES, Ticket, Urgency, UrgencyPart

_PLAIN = tuple(one.name for one in fields(Ticket) if one.name not in ("id", "version", "urgency", "pauses"))


def as_ticket(row: sqlite3.Row) -> Ticket:
    """A ticket out of its row."""
    flags = ("needs_person", "is_priority_set")
    return built(Ticket, row, tuples=("tags", "pauses"), flags=flags, urgency=_urgency(row))


def _urgency(row: sqlite3.Row) -> Urgency | None:
    if row["urgency"] is None:
        return None
    parts = tuple(UrgencyPart(code=code, points=points) for code, points in json.loads(row["urgency_parts"]))
    return Urgency(points=row["urgency"], priority=row["priority"], parts=parts)


def get(db: Reads, ticket_id: int, *, viewer: Viewer) -> Ticket:
    """The ticket with this id; raises NotFound, out of the viewer's scope too."""
    ticket = as_ticket(db.got("ticket", ticket_id))
    if not viewer.sees_queue(ticket.queue_id):
        raise NotFound(noun="ticket", id=ticket_id)
    return ticket


def read(db: Reads, ticket_id: int) -> Ticket:
    """The ticket with this id, whoever asks; raises NotFound."""
    return as_ticket(db.got("ticket", ticket_id))


def find_by_external_id(
    db: Reads, external_id: str, *, is_seen: Callable[[Ticket], bool] = lambda _: True
) -> Ticket | None:
    """The oldest ticket that another system knows by this id, of those that are seen; others may have the same id.

    An erased one has the id no longer, and is found by it still.
    """
    rows = db.rows(
        "SELECT * FROM ticket WHERE external_id IN (?, ?) ORDER BY id", (external_id, erased_id(external_id))
    )
    return next((ticket for row in rows if is_seen(ticket := as_ticket(row))), None)


def of_customer(db: Reads, customer_id: int, *, viewer: Viewer, limit: int = 20) -> tuple[Ticket, ...]:
    """A customer's tickets, newest first."""
    where, params = scope.joined([("customer_id = ?", [customer_id]), scope.of_queues(viewer)])
    rows = db.rows(statement("SELECT * FROM ticket", where, "ORDER BY id DESC LIMIT ?"), [*params, limit])
    return tuple(as_ticket(row) for row in rows)


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


def insert(tx: Transaction, ticket: Ticket) -> Ticket:
    """Add a ticket; return it with its number."""
    return replace(ticket, id=tx.insert("ticket", _columns(ticket)))


def write(tx: Transaction, was: Ticket, ticket: Ticket) -> Ticket:
    """Write the columns that are other than they were; return the ticket with its new version. Raises Stale."""
    tx.change("ticket", was.id, changes=changes(was, ticket), version=was.version)
    # As the row is read: a priority that a person chose stands beside the urgency too.
    urgency = None if ticket.urgency is None else replace(ticket.urgency, priority=ticket.priority)
    return replace(ticket, urgency=urgency, version=was.version + 1)


def changes(was: Ticket, ticket: Ticket) -> Fields:
    """The columns of a ticket that are other than they were."""
    before = _columns(was)
    return {name: value for name, value in _columns(ticket).items() if value != before[name]}


def _columns(ticket: Ticket) -> Fields:
    urgency = ticket.urgency
    return {
        **{name: getattr(ticket, name) for name in _PLAIN},
        "pauses": ticket.pauses or None,
        "urgency": None if urgency is None else urgency.points,
        "urgency_parts": () if urgency is None else tuple((part.code, part.points) for part in urgency.parts),
    }


def last_id(db: Reads) -> int:
    """The newest ticket's id; 0 without tickets."""
    return int(db.value("SELECT coalesce(max(id), 0) FROM ticket"))


def due_for_refresh(db: Reads, *, now: int, limit: int) -> tuple[Ticket, ...]:
    """Tickets whose order key time has changed, those that wait longest first."""
    rows = db.rows(
        "SELECT * FROM ticket WHERE refresh_at IS NOT NULL AND refresh_at <= ? ORDER BY refresh_at LIMIT ?",
        (now, limit),
    )
    return tuple(as_ticket(row) for row in rows)


def set_places(tx: Transaction, places: Sequence[tuple[int, int, str, int | None]]) -> None:
    """Write (id, risk, sla, refresh_at); the place in the inbox is no edit, so versions stay."""
    tx.execute_many(
        "UPDATE ticket SET risk = ?, sla = ?, refresh_at = ? WHERE id = ?",
        [(risk, sla, refresh_at, ticket_id) for ticket_id, risk, sla, refresh_at in places],
    )


def count_message(tx: Transaction, ticket_id: int, *, n: int = 1) -> None:
    """Count `n` more messages of the thread; that is no edit of the ticket, so the version stays."""
    tx.execute("UPDATE ticket SET n_messages = n_messages + ? WHERE id = ?", (n, ticket_id))


def erased_id(given: str) -> str:
    """Return the replacement of another system's id once its ticket or message is erased.

    It reveals nothing, and whatever comes again under the id is still recognised.
    """
    return "erased:" + hashlib.sha256(given.encode()).hexdigest()[:32]
