"""The inbox: queues at the side, the tickets at the highest risk first; the address is the filter."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.desk.flows import find_agents, show_inbox
from app.desk.pages import inbox_address, inbox_walk, saved_view_pages, ticket_export
from app.model.pages import label_choices
from app.web import query_string
from app.web.access import requires, services, viewer

blueprint = Blueprint("pages_inbox", __name__)


@blueprint.get("/tickets")
@requires("tickets:read")
def index() -> str | Response:
    """Show the tickets of the filter; a ticket's number leads to it."""
    me = viewer()
    chosen, sort = inbox_address.ticket_filter(request.args, me=me.user_id), inbox_address.sort(request.args)
    number = query_string.whole(chosen.query.removeprefix("#"))
    if number is not None and chosen.query.lstrip("#").replace("tkt_", "").isdigit():
        return redirect(url_for("pages_tickets.show", ticket_id=number))
    inbox_walk.remember()
    inbox = show_inbox.show(services(), chosen, viewer=me, after=request.args.get("after"), sort=sort)
    return render_template(
        "tickets/inbox.html",
        inbox=inbox,
        queue_title=next((queue.title for queue in inbox.queues if queue.id == chosen.queue_id), ""),
        intents=label_choices.of_tasks(queue.intent_task for queue in inbox.queues),
        agents=find_agents.every(services()),
        chosen=chosen,
        me=me,
        views=saved_view_pages.pinned(me=me, arguments=request.args),
        own_query=saved_view_pages.query_of(request.args),
        chosen_args=query_string.kept(request.args),
        is_narrowed=inbox_address.is_narrowed(request.args),
        link=lambda **changes: url_for("pages_inbox.index", **query_string.kept(request.args, **changes)),
    )


@blueprint.get("/tickets/export")
@requires("tickets:read")
def export() -> Response:
    """Download the tickets of the filter as a table."""
    me = viewer()
    return ticket_export.as_table(inbox_address.ticket_filter(request.args, me=me.user_id), viewer=me)
