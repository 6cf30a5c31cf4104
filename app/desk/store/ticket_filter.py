"""A filter of the inbox as conditions on tickets and on facets, and the orders of the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.core import paging, scope
from app.core.db import Reads, marks
from app.core.permissions import Viewer
from app.core.scope import Condition
from app.desk.domain.ticket import OPEN_STATUSES, Sort, Ticket, TicketFilter
from app.desk.store.tickets import as_ticket

Key = tuple[int, int]
"""An order key and the ticket's id."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of the inbox: its column, the index that holds it within each facet, and its way."""

    column: str
    facets: str
    is_falling: bool = True

    @property
    def sql(self) -> str:
        """The ORDER BY."""
        way = " DESC" if self.is_falling else ""
        return f"ORDER BY {self.column}{way}, id{way}"

    def beyond(self, after: str | None) -> Condition:
        """The condition that goes on from a cursor; raises InputError for one that was not made here."""
        if after is None:
            return "", []
        return f"({self.column}, id) {'<' if self.is_falling else '>'} (?, ?)", paging.keys(after, n=2)


ORDERS: dict[Sort, Order] = {
    "risk": Order(column="risk", facets="ticket_facet_risk"),
    "newest": Order(column="created_at", facets="ticket_facet_created"),
    "oldest": Order(column="created_at", facets="ticket_facet_created", is_falling=False),
    "updated": Order(column="updated_at", facets="ticket_facet_updated"),
}


def by_ids(db: Reads, ticket_ids: Sequence[int]) -> tuple[Ticket, ...]:
    """Tickets in the order of these ids; one that is gone is left out."""
    rows = db.rows("SELECT * FROM ticket WHERE id IN (SELECT value FROM json_each(?))", (scope.listed(ticket_ids),))
    found = {row["id"]: as_ticket(row) for row in rows}
    return tuple(found[ticket_id] for ticket_id in ticket_ids if ticket_id in found)


def conditions(chosen: TicketFilter, *, viewer: Viewer) -> list[Condition]:
    """The conditions of a filter on tickets, within the viewer's queues."""
    return [*_statuses(chosen.status), *_plain(chosen), scope.of_queues(viewer)]


def _plain(chosen: TicketFilter) -> Iterator[Condition]:
    wanted: dict[str, Any] = {
        "queue_id = ?": chosen.queue_id,
        "priority = ?": chosen.priority,
        "intent = ?": chosen.intent,
        "sentiment = ?": chosen.sentiment,
        "intent_band = ?": chosen.band,
        "needs_person = ?": chosen.needs_person,
        "language = ?": chosen.language,
        "sla = ?": chosen.sla,
        "assignee_id = ?": chosen.assignee_id,
    }
    yield from ((text, [value]) for text, value in wanted.items() if value is not None)
    if chosen.is_unassigned:
        yield "assignee_id IS NULL", []


def facets(chosen: TicketFilter, *, viewer: Viewer) -> Condition:
    """The facets of a filter; who a ticket is assigned to is no part of them, whether it is, is."""
    plain = replace(chosen, assignee_id=None, is_unassigned=False)
    named = [(text.replace("intent_band", "band"), params) for text, params in _plain(plain)]
    assigned: list[Condition] = [("is_assigned = 0", [])] if chosen.is_unassigned else []
    status: list[Condition] = [("status IN " + marks(chosen.status), list(chosen.status))] if chosen.status else []
    return scope.joined([*status, *named, *assigned, ("n > 0", []), scope.of_queues(viewer)])


def _statuses(wanted: Sequence[str]) -> list[Condition]:
    if not wanted:
        return []
    both = sides(wanted)
    # `is_open` leads the indices; saying it lets them serve a single status too.
    side: list[Condition] = [("is_open = ?", [both[0]])] if len(both) == 1 else []
    is_whole = set(wanted) == set(OPEN_STATUSES)
    return side if is_whole else [*side, ("status IN " + marks(wanted), list(wanted))]


def sides(wanted: Sequence[str]) -> list[int]:
    """The sides of the desk that hold these statuses: 1 for open tickets, 0 for done ones."""
    return [1, 0] if not wanted else sorted({int(status in OPEN_STATUSES) for status in wanted}, reverse=True)
