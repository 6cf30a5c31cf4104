"""Tickets, within the viewer's queues; lists of them are the inbox's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core import scope
from app.core.db import Reads, Transaction, assignments, marks, statement
from app.core.errors import NotFound
from app.core.permissions import Viewer
from app.core.storage.erased_ids import erased_id
from app.core.storage.row_mapping import built
from app.desk.domain.ticket import OPEN_STATUSES, Ticket, Urgency, UrgencyPart


def as_ticket(row: sqlite3.Row) -> Ticket:
    """A ticket out of its row."""
    return built(Ticket, row, tuples=("tags", "pauses"), flags=("needs_person",), urgency=_urgency(row))


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
    """The ticket with this id for the flows themselves, whose scope is everything; raises NotFound."""
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
    return as_ticket(tx.got("ticket", ticket_id))


def update_each(tx: Transaction, changes: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Change many tickets by id, each with its own columns; versions count up."""
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for ticket_id, columns in changes:
        by_columns.setdefault(tuple(columns), []).append((*columns.values(), ticket_id))
    for names, rows in by_columns.items():
        settings = assignments(dict.fromkeys(names))
        tx.execute_many(statement("UPDATE ticket SET", settings + ", version = version + 1 WHERE id = ?"), rows)


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
    """So many more messages in the thread; that is no edit of the ticket, so the version stays."""
    tx.execute("UPDATE ticket SET n_messages = n_messages + ? WHERE id = ?", (n, ticket_id))


def is_priority_set(db: Reads, ticket_id: int) -> bool:
    """Whether a person chose the priority, which the model then leaves alone."""
    return bool(db.value("SELECT is_priority_set FROM ticket WHERE id = ?", (ticket_id,)))
