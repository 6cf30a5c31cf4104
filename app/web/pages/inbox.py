"""The inbox: queues at the side, tickets newest risk first, the address is the filter."""

from __future__ import annotations

from typing import Any, cast, get_args

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.domain.people import Viewer
from app.domain.ticket import Queue
from app.errors import BellwetherError
from app.pipeline import models
from app.pipeline import tickets as flow
from app.store import customers, inbox, queues, ticket_search, tickets, users
from app.store.db import Database
from app.store.ticket_filter import Sort
from app.web import exports
from app.web.auth import requires, services, viewer
from app.web.pages import filters, views, walk
from app.web.pages.labels import label_title

blueprint = Blueprint("pages_inbox", __name__)


def _labels(task: str) -> list[str]:
    """The labels of a task; none while no model that has it is open: the inbox is shown all the same."""
    try:
        return [label.id for label in models.labels(services(), task)]
    except BellwetherError:
        return []


def _choices(db: Database, *, me: Viewer, shown: tuple[Queue, ...]) -> dict[str, Any]:
    tasks = sorted({queue.intent_task for queue in shown})
    intents = {label: label_title(label) for task in tasks for label in _labels(task)}
    return {
        "queues": shown,
        "intents": sorted(intents.items(), key=lambda entry: entry[1]),
        "agents": [user for user in users.every(db, is_active=True) if user.role != "analyst"],
        "me": me,
    }


@blueprint.get("/tickets")
@requires("tickets:read")
def index() -> str | Response:
    """The tickets that the filter leaves; typing a ticket's number goes to it."""
    me, db = viewer(), services().db
    chosen = filters.ticket_filter(request.args, me=me.user_id)
    number = filters.whole(chosen.query.removeprefix("#"))
    if number is not None and chosen.query.lstrip("#").replace("tkt_", "").isdigit():
        return redirect(url_for("pages_tickets.show", ticket_id=number))
    walk.remember()
    wanted = request.args.get("sort", "risk")
    sort = cast(Sort, wanted) if wanted in get_args(Sort) else "risk"
    page = inbox.page(db, chosen, viewer=me, limit=50, after=request.args.get("after"), sort=sort)
    shown = queues.every(db, viewer=me)
    return render_template(
        "tickets/inbox.html",
        page=page,
        dues={ticket.id: flow.sla_state(ticket) for ticket in page.items},
        snippets=ticket_search.snippets(db, chosen.query, ticket_ids=[ticket.id for ticket in page.items]),
        people=customers.by_ids(db, {ticket.customer_id for ticket in page.items}),
        names=users.names(db, {ticket.assignee_id for ticket in page.items if ticket.assignee_id}),
        titles={queue.id: queue.title for queue in shown},
        counts=tickets.counts(db, viewer=me),
        choices=_choices(db, me=me, shown=shown),
        chosen=chosen,
        me=me,
        views=views.pinned(db, me=me, arguments=request.args),
        own_query=views.query_of(request.args),
        chosen_args=filters.kept(request.args),
        is_narrowed=filters.is_narrowed(request.args),
        link=lambda **changes: url_for("pages_inbox.index", **filters.kept(request.args, **changes)),
    )


@blueprint.get("/tickets/export")
@requires("tickets:read")
def export() -> Response:
    """The tickets that the filter leaves, as a table to keep."""
    me = viewer()
    return exports.as_table(filters.ticket_filter(request.args, me=me.user_id), viewer=me)
