"""The inbox as a query: any filter at a million tickets, in any order, with exact counts.

A filter that leaves much is found by walking one index in order. Otherwise its page is merged out of facets: the first
n tickets of a filter lie in the n facets whose own first ticket stands highest, and each facet is an index range.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from app.core import paging, scope
from app.core.db import Reads, marks, statement
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.scope import Condition
from app.desk.domain.ticket import Sort, Ticket, TicketFilter
from app.desk.store import ticket_search
from app.desk.store.ticket_filter import ORDERS, Key, Order, by_ids, conditions, facets, sides

# A walk gives up after so many tickets on either side of the desk (open, done): milliseconds.
MOST_WALKED = 3000
# One person's tickets by the index that says whose they are: with statistics the planner would go through the facets.
OF_A_PERSON = "ticket INDEXED BY ticket_assignee"
# A filter with at most so many tickets is not walked for.
FEW = 400


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
    if ticket_search.is_asked(chosen):
        return ticket_search.page(db, chosen, viewer=viewer, limit=limit, after=after, sort=sort)
    order = ORDERS[sort]
    beyond = order.beyond(after)
    n_total, is_capped = count(db, chosen, viewer=viewer)
    if n_total == 0:
        found: list[Key] = []
    elif chosen.assignee_id is not None:
        found = _listed(db, chosen, viewer=viewer, order=order, beyond=beyond, limit=limit + 1)
    else:
        walked = (
            None if n_total <= FEW else _walked(db, chosen, viewer=viewer, order=order, beyond=beyond, limit=limit + 1)
        )
        found = walked or _merged(db, chosen, viewer=viewer, order=order, beyond=beyond, limit=limit + 1)
    kept = found[:limit]
    return Page(
        items=by_ids(db, [ticket_id for _, ticket_id in kept]),
        has_more=len(found) > limit,
        after=paging.cursor(*kept[-1]) if len(found) > limit else None,
        total=n_total,
        is_capped=is_capped,
    )


def count(db: Reads, chosen: TicketFilter, *, viewer: Viewer) -> tuple[int, bool]:
    """Count the tickets of a filter; the second value is True where counting stopped (one person's, at 10,000)."""
    if ticket_search.is_asked(chosen):
        return ticket_search.count(db, chosen, viewer=viewer)
    if chosen.assignee_id is None:
        where, params = facets(chosen, viewer=viewer)
        return int(db.value(statement("SELECT coalesce(sum(n), 0) FROM facet", where), params)), False
    where, params = scope.joined(_through_facets(chosen, viewer=viewer))
    sql = statement("SELECT count(*) FROM (SELECT 1 FROM", OF_A_PERSON, where, "LIMIT ?)")
    n_found = int(db.value(sql, [*params, paging.MOST_COUNTED]))
    return n_found, n_found >= paging.MOST_COUNTED


def ids(db: Reads, chosen: TicketFilter, *, viewer: Viewer, most: int = -1) -> array[int]:
    """The ids of all tickets of a filter, rising, eight bytes each; `most` of them where that is not negative."""
    if ticket_search.is_asked(chosen):
        return array("q", sorted(ticket_search.ids(db, chosen, viewer=viewer)))
    where, params = scope.joined(_through_facets(chosen, viewer=viewer))
    table = "ticket" if chosen.assignee_id is None else OF_A_PERSON
    rows = db.rows(statement("SELECT id FROM", table, where, "LIMIT ?"), [*params, most])
    return array("q", sorted(row[0] for row in rows))


def each(db: Reads, chosen: TicketFilter, *, viewer: Viewer, chunk: int = 500) -> Iterator[Ticket]:
    """Every ticket of a filter by id, as of now, read in chunks so that no reader holds the database for long."""
    found = ids(db, chosen, viewer=viewer)
    for start in range(0, len(found), chunk):
        yield from by_ids(db, found[start : start + chunk])


def _through_facets(chosen: TicketFilter, *, viewer: Viewer) -> list[Condition]:
    """The same filter by the facet that each ticket counts in, for where no order helps to find it."""
    where, params = facets(chosen, viewer=viewer)
    inside: Condition = (statement("facet_id IN (SELECT id FROM facet", where, ")"), params)
    if chosen.assignee_id is None:
        return [inside]
    return [
        ("assignee_id = ?", [chosen.assignee_id]),
        (statement("is_open IN", marks(sides(chosen.status))), sides(chosen.status)),
        inside,
    ]


def _walked(
    db: Reads, chosen: TicketFilter, *, viewer: Viewer, order: Order, beyond: Condition, limit: int
) -> list[Key] | None:
    """The first tickets along the index of each side; None when so few fit that the walk was given up."""
    found: list[Key] = []
    for side in sides(chosen.status):
        rows, is_whole = _side(db, chosen, viewer=viewer, order=order, beyond=beyond, limit=limit, side=side)
        if len(rows) < limit and not is_whole:
            return None
        found += rows
    return sorted(found, reverse=order.is_falling)[:limit]


_FILTERED = """id, status, queue_id, priority, intent, sentiment, intent_band, needs_person, language, sla, assignee_id,
is_open"""


def _side(
    db: Reads, chosen: TicketFilter, *, viewer: Viewer, order: Order, beyond: Condition, limit: int, side: int
) -> tuple[list[Key], bool]:
    inner, given = scope.joined([("is_open = ?", [side]), beyond])
    where, params = scope.joined(conditions(chosen, viewer=viewer))
    walked = statement("SELECT", order.column + ",", _FILTERED, "FROM ticket", inner, order.sql, "LIMIT ?")
    sql = statement("SELECT", order.column + ",", "id FROM (", walked, ")", where, order.sql, "LIMIT ?")
    rows = [(row[0], row[1]) for row in db.rows(sql, [*given, MOST_WALKED, *params, limit])]
    if len(rows) >= limit:
        return rows, False
    rest = statement("SELECT 1 FROM ticket", inner, order.sql, "LIMIT 1 OFFSET ?")
    return rows, db.row(rest, [*given, MOST_WALKED]) is None


def _merged(
    db: Reads, chosen: TicketFilter, *, viewer: Viewer, order: Order, beyond: Condition, limit: int
) -> list[Key]:
    """The first tickets out of the facets whose own first ticket stands highest."""
    where, params = facets(chosen, viewer=viewer)
    after, given = beyond
    first = statement(
        "SELECT id FROM ticket INDEXED BY", order.facets, "WHERE facet_id = facet.id", after and "AND", after, order.sql
    )
    sql = statement(
        "WITH best AS MATERIALIZED (SELECT facet.id AS facet, (", first, "LIMIT 1) AS first FROM facet", where, ")",
        "SELECT facet FROM best CROSS JOIN ticket ON ticket.id = first", order.sql, "LIMIT ?",
    )  # fmt: skip
    best = [row[0] for row in db.rows(sql, [*given, *params, limit])]
    sql = statement(
        "WITH facet AS (SELECT value AS id FROM json_each(?)) SELECT", order.column + ",", "ticket.id",
        "FROM facet CROSS JOIN ticket ON ticket.id IN (", first, "LIMIT ?)",
        order.sql.replace(", id", ", ticket.id"), "LIMIT ?",
    )  # fmt: skip
    return [(row[0], row[1]) for row in db.rows(sql, [scope.listed(best), *given, limit, limit])]


def _listed(
    db: Reads, chosen: TicketFilter, *, viewer: Viewer, order: Order, beyond: Condition, limit: int
) -> list[Key]:
    """The first of one person's tickets, which are few enough to be sorted."""
    where, params = scope.joined([*_through_facets(chosen, viewer=viewer), beyond])
    sql = statement("SELECT", order.column + ",", "id FROM", OF_A_PERSON, where, order.sql, "LIMIT ?")
    return [(row[0], row[1]) for row in db.rows(sql, [*params, limit])]
