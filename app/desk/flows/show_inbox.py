"""The inbox: one page of tickets with all that its lines name, and the way from ticket to ticket in its order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.core import clock, paging
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.services import Services
from app.core.storage.full_text import Pieces
from app.desk.decide import deadlines
from app.desk.domain.ticket import Customer, Queue, SlaState, Sort, Ticket, TicketFilter
from app.desk.store import customers, inbox_query, queues, ticket_search, tickets
from app.desk.store.ticket_filter import ORDERS
from app.people.store import users

PAGE, MOST_PAGES = 50, 20
"""Neighbours of a ticket are looked for among the first thousand of the inbox."""


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """A page of the inbox; `sla`, `snippets`, `customers` and `assignees` are those of its tickets.

    `queues` are those in sight, `n_open` the open tickets in them by queue id.
    """

    page: Page[Ticket]
    sla: Mapping[int, SlaState]
    snippets: Mapping[int, Pieces]
    customers: Mapping[int, Customer]
    assignees: Mapping[int, str]
    queues: tuple[Queue, ...]
    n_open: Mapping[int, int]


def show(services: Services, chosen: TicketFilter, *, viewer: Viewer, after: str | None, sort: Sort) -> Inbox:
    """Return a page of the inbox; raises InputError for a cursor that was not made here."""
    db, now = services.db, clock.now_ms()
    found = page(services, chosen, viewer=viewer, limit=PAGE, after=after, sort=sort)
    return Inbox(
        page=found,
        sla={ticket.id: deadlines.clock(ticket, now=now) for ticket in found.items},
        snippets=ticket_search.snippets(db, chosen.query, ticket_ids=[ticket.id for ticket in found.items]),
        customers=customers_of(services, found.items),
        assignees=users.names(db, {ticket.assignee_id for ticket in found.items if ticket.assignee_id}),
        queues=queues.every(db, viewer=viewer),
        n_open=tickets.counts(db, viewer=viewer),
    )


def page(
    services: Services,
    chosen: TicketFilter,
    *,
    viewer: Viewer,
    limit: int,
    after: str | None = None,
    sort: Sort = "risk",
) -> Page[Ticket]:
    """Return the tickets of a page; raises InputError for a cursor that was not made here."""
    return inbox_query.page(services.db, chosen, viewer=viewer, limit=limit, after=after, sort=sort)


def customers_of(services: Services, found: Iterable[Ticket]) -> Mapping[int, Customer]:
    """Return the customers of tickets by their id."""
    return customers.by_ids(services.db, {ticket.customer_id for ticket in found})


def first(services: Services, chosen: TicketFilter, *, viewer: Viewer, limit: int) -> tuple[tuple[Ticket, ...], int]:
    """Return the first tickets of a filter, and the exact number of all."""
    found = page(services, chosen, viewer=viewer, limit=limit)
    n_found = len(inbox_query.ids(services.db, chosen, viewer=viewer)) if found.is_capped else found.total
    return found.items, n_found


def quick_count(services: Services, chosen: TicketFilter, *, viewer: Viewer) -> int | None:
    """Return the number of tickets of a filter where counters hold it: not for words, nor for one person's tickets."""
    if chosen.assignee_id is not None or ticket_search.is_asked(chosen):
        return None
    return inbox_query.count(services.db, chosen, viewer=viewer)[0]


def following(
    services: Services, ticket_id: int, chosen: TicketFilter, *, viewer: Viewer, sort: Sort = "risk"
) -> int | None:
    """Return the id of the ticket that follows one in the inbox, None at its end; raises NotFound out of sight."""
    ticket = tickets.get(services.db, ticket_id, viewer=viewer)
    if chosen.query:
        # Tickets found by words have an order of their own, which no cursor of the inbox goes on in.
        return _neighbour(services, ticket_id, chosen, viewer=viewer, sort=sort, step=1)
    cursor = paging.cursor(getattr(ticket, ORDERS[sort].column), ticket_id)
    found = page(services, chosen, viewer=viewer, limit=1, after=cursor, sort=sort)
    return found.items[0].id if found.items else None


def preceding(
    services: Services, ticket_id: int, chosen: TicketFilter, *, viewer: Viewer, sort: Sort = "risk"
) -> int | None:
    """Return the id of the ticket that precedes one in the inbox, None for the first; raises NotFound out of sight."""
    tickets.get(services.db, ticket_id, viewer=viewer)
    return _neighbour(services, ticket_id, chosen, viewer=viewer, sort=sort, step=-1)


def _neighbour(
    services: Services, ticket_id: int, chosen: TicketFilter, *, viewer: Viewer, sort: Sort, step: int
) -> int | None:
    ids: list[int] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        found = page(services, chosen, viewer=viewer, limit=PAGE, after=cursor, sort=sort)
        ids += [one.id for one in found.items]
        is_here = ticket_id in ids
        if (is_here and (step < 0 or ids[-1] != ticket_id)) or found.after is None:
            break
        cursor = found.after
    at = ids.index(ticket_id) + step if ticket_id in ids else -1
    return ids[at] if 0 <= at < len(ids) else None
