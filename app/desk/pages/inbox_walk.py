"""Going from ticket to ticket in the order of the inbox that was seen last, without losing its filter."""

from __future__ import annotations

from typing import cast, get_args
from urllib.parse import parse_qsl

from flask import request, session, url_for
from werkzeug.datastructures import MultiDict

from app.core import paging
from app.desk.domain.ticket import Ticket
from app.desk.pages import inbox_address
from app.desk.store import inbox_query as rows
from app.desk.store.ticket_filter import Sort
from app.web import query_string
from app.web.access import services, viewer

LONGEST = 600
STEP, MOST_STEPS = 50, 20
KEYS = {"newest": "created_at", "oldest": "created_at", "updated": "updated_at"}


def remember() -> None:
    """Keep the inbox's filter: tickets opened from it are walked through in its order."""
    query = request.query_string.decode("ascii", "ignore")
    if len(query) <= LONGEST and session.get("inbox", "") != query:
        session["inbox"] = query


def _chosen() -> MultiDict[str, str]:
    found = MultiDict(parse_qsl(session.get("inbox", "")))
    found.pop("after", None)
    return found


def _sort(arguments: MultiDict[str, str]) -> Sort:
    wanted = arguments.get("sort", "risk")
    return cast(Sort, wanted) if wanted in get_args(Sort) else "risk"


def inbox() -> str:
    """The address of the inbox as it was seen last."""
    return url_for("pages_inbox.index", **query_string.kept(_chosen()))


def after(ticket: Ticket) -> int | None:
    """The ticket that follows in the inbox; None at its end."""
    chosen, me = _chosen(), viewer()
    sort = _sort(chosen)
    cursor = paging.cursor(getattr(ticket, KEYS.get(sort, "risk")), ticket.id)
    wanted = inbox_address.ticket_filter(chosen, me=me.user_id)
    if wanted.query:
        # What is searched for has an order of its own: the found ones are walked as they are listed.
        return _beside(ticket, step=1)
    found = rows.page(services().db, wanted, viewer=me, limit=1, after=cursor, sort=sort)
    return found.items[0].id if found.items else None


def before(ticket: Ticket) -> int | None:
    """The ticket that precedes it among the first thousand of the inbox; None where there is none."""
    return _beside(ticket, step=-1)


def _beside(ticket: Ticket, *, step: int) -> int | None:
    chosen, me = _chosen(), viewer()
    wanted, sort = inbox_address.ticket_filter(chosen, me=me.user_id), _sort(chosen)
    ids: list[int] = []
    cursor: str | None = None
    for _ in range(MOST_STEPS):
        page = rows.page(services().db, wanted, viewer=me, limit=STEP, after=cursor, sort=sort)
        ids += [one.id for one in page.items]
        is_here = ticket.id in ids
        if (is_here and (step < 0 or ids[-1] != ticket.id)) or page.after is None:
            break
        cursor = page.after
    if ticket.id not in ids:
        return None
    at = ids.index(ticket.id) + step
    return ids[at] if 0 <= at < len(ids) else None
