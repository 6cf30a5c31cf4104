"""The inbox: queues at the side, tickets newest risk first, the address is the filter."""

from __future__ import annotations

from typing import Any, cast, get_args

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core.db import Database
from app.core.errors import BellwetherError
from app.core.permissions import Viewer
from app.desk.domain.ticket import Queue
from app.desk.flows import file_ticket as flow
from app.desk.pages import inbox_address, inbox_walk, saved_view_pages, ticket_export
from app.desk.store import customers, inbox_query, queues, ticket_search, tickets
from app.desk.store.ticket_filter import Sort
from app.model.flows import deploy_model
from app.people.store import users
from app.web import query_string
from app.web.access import requires, services, viewer
from app.web.display.label_titles import label_title

blueprint = Blueprint("pages_inbox", __name__)


def _labels(task: str) -> list[str]:
    """The labels of a task; none while no model that has it is open: the inbox is shown all the same."""
    try:
        return [label.id for label in deploy_model.labels(services(), task)]
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
    chosen = inbox_address.ticket_filter(request.args, me=me.user_id)
    number = query_string.whole(chosen.query.removeprefix("#"))
    if number is not None and chosen.query.lstrip("#").replace("tkt_", "").isdigit():
        return redirect(url_for("pages_tickets.show", ticket_id=number))
    inbox_walk.remember()
    wanted = request.args.get("sort", "risk")
    sort = cast(Sort, wanted) if wanted in get_args(Sort) else "risk"
    page = inbox_query.page(db, chosen, viewer=me, limit=50, after=request.args.get("after"), sort=sort)
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
        views=saved_view_pages.pinned(db, me=me, arguments=request.args),
        own_query=saved_view_pages.query_of(request.args),
        chosen_args=query_string.kept(request.args),
        is_narrowed=inbox_address.is_narrowed(request.args),
        link=lambda **changes: url_for("pages_inbox.index", **query_string.kept(request.args, **changes)),
    )


@blueprint.get("/tickets/export")
@requires("tickets:read")
def export() -> Response:
    """The tickets that the filter leaves, as a table to keep."""
    me = viewer()
    return ticket_export.as_table(inbox_address.ticket_filter(request.args, me=me.user_id), viewer=me)
