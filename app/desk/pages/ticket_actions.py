"""The actions of an agent on a ticket: reply, note, take, assign, move, set, tag; each can be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import Conflict, InputError, Stale
from app.core.nouns import Changed
from app.desk.domain.ticket import Status, Ticket
from app.desk.flows import act_on_ticket, find_agents
from app.desk.flows.act_on_ticket import TICKET
from app.desk.flows.mail import send_mail
from app.desk.flows.replies import note_outcome
from app.desk.pages import inbox_walk, ticket_rendering
from app.web import query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell, tell_changed

blueprint = Blueprint("pages_acts", __name__)

UNDO = "pages_corrections.undo"
STATUS_AFTER: dict[str, Status] = {"reply_pending": "pending", "reply_solved": "solved"}
Shown = str | Response | tuple[str, int]


def _change(
    ticket_id: int, change: Callable[[int | None], Changed[Ticket]], *, message: str, body: str | None = None
) -> Shown:
    """Change a ticket and offer the undo; a change of somebody else in between is not overwritten."""
    page = url_for("pages_tickets.show", ticket_id=ticket_id)
    goes_on = bool(request.form.get("next"))
    following = inbox_walk.following(ticket_id) if goes_on else None
    try:
        made = change(query_string.whole(request.form.get("version")))
    except Stale:
        return ticket_rendering.render(ticket_id, body=body, clashed=ticket_rendering.clash(ticket_id)), 412
    if made.event is not None:
        tell_changed(message, event=made.event, back=page, endpoint=UNDO)
    if goes_on:
        return redirect(inbox_walk.inbox() if following is None else url_for("pages_tickets.show", ticket_id=following))
    return redirect(page if viewer().sees_queue(made.row.queue_id) else inbox_walk.inbox())


def _edit(ticket_id: int, *, message: str, **wanted: Any) -> Shown:
    db, me = services().db, viewer()
    return _change(
        ticket_id,
        lambda version: changes.change(db, TICKET, ticket_id, wanted, viewer=me, version=version),
        message=message,
    )


@blueprint.post("/tickets/<number:ticket_id>/reply")
@requires("tickets:write")
def reply(ticket_id: int) -> Shown:
    """Reply to the customer, or add a note."""
    me, body, action = viewer(), request.form.get("body", ""), request.form.get("action", "reply")
    session["goes_on"] = bool(request.form.get("next"))
    if not body.strip():
        flash(_("Write something first; an empty message is not sent."), "error")
        return ticket_rendering.render(ticket_id, body=body), 422
    try:
        if action == "note":
            return _change(
                ticket_id,
                lambda _version: act_on_ticket.note(services(), ticket_id, viewer=me, body=body),
                message=_("The note is kept."),
            )
        return _replied(ticket_id, body=body, action=action)
    except InputError as error:
        return refused(error, lambda: ticket_rendering.render(ticket_id, body=body))


def _replied(ticket_id: int, *, body: str, action: str) -> Shown:
    me, macro_id = viewer(), query_string.whole(request.form.get("macro_id"))
    answers = ticket_rendering.answers_of(ticket_id) if request.form.get("draft") and macro_id is None else None
    return _change(
        ticket_id,
        lambda version: act_on_ticket.reply(
            services(),
            ticket_id,
            viewer=me,
            body=body,
            macro_id=macro_id,
            with_actions=bool(request.form.get("with_actions")),
            draft=None if answers is None else answers.draft.text,
            status=STATUS_AFTER.get(action),
            version=version,
        ),
        message=_("The reply goes out in 10 seconds; until then it can be called back."),
        body=body,
    )


@blueprint.post("/tickets/<number:ticket_id>/assign")
@requires("tickets:write")
def assign(ticket_id: int) -> Shown:
    """Give the ticket to somebody, or to nobody."""
    chosen = query_string.whole(request.form.get("assignee"))
    return _edit(ticket_id, message=_("Assigned.") if chosen else _("Assigned to nobody."), assignee_id=chosen)


@blueprint.post("/tickets/<number:ticket_id>/take")
@requires("tickets:write")
def take(ticket_id: int) -> Response:
    """Take a ticket that nobody has."""
    me, inbox = viewer(), inbox_walk.inbox()
    before = TICKET.get(services().db, ticket_id, viewer=me)
    if before.assignee_id not in (None, me.user_id):
        tell(Conflict("taken_by", name=find_agents.names(services(), [before.assignee_id])[before.assignee_id]))
        return redirect(inbox)
    wanted = {"assignee_id": me.user_id}
    made = changes.change(services().db, TICKET, ticket_id, wanted, viewer=me, version=before.version)
    if made.event is not None:
        tell_changed(_("#%(number)s is yours.", number=ticket_id), event=made.event, back=inbox, endpoint=UNDO)
    return redirect(inbox)


@blueprint.post("/tickets/<number:ticket_id>/status")
@requires("tickets:write")
def set_status(ticket_id: int) -> Shown:
    """Set the status."""
    message = _("The status of #%(number)s is set.", number=ticket_id)
    return _edit(ticket_id, message=message, status=request.form.get("status", ""))


@blueprint.post("/tickets/<number:ticket_id>/priority")
@requires("tickets:write")
def set_priority(ticket_id: int) -> Shown:
    """Set the priority, which the model then leaves alone."""
    return _edit(ticket_id, message=_("The priority is set."), priority=request.form.get("priority", ""))


@blueprint.post("/tickets/<number:ticket_id>/tags")
@requires("tickets:write")
def tag(ticket_id: int) -> Shown:
    """Set the tags, which have commas between them."""
    wanted = tuple(part.strip() for part in request.form.get("tags", "").replace("，", ",").split(",") if part.strip())
    return _edit(ticket_id, message=_("The tags are set."), tags=wanted)


@blueprint.post("/tickets/<number:ticket_id>/route")
@requires("tickets:write")
def route(ticket_id: int) -> Shown:
    """Move the ticket to another queue, even to one out of the reader's sight."""
    return _edit(ticket_id, message=_("The ticket is moved."), queue_id=query_string.whole(request.form.get("queue")))


@blueprint.post("/tickets/<number:ticket_id>/letters/<number:outbox_id>/again")
@requires("tickets:write")
def send_again(ticket_id: int, outbox_id: int) -> Response:
    """Send a reply again that failed or bounced."""
    try:
        send_mail.send_again(services(), outbox_id, viewer=viewer())
        flash(_("The reply is sent once more."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_tickets.show", ticket_id=ticket_id))


@blueprint.post("/tickets/<number:ticket_id>/reject")
@requires("tickets:write")
def reject(ticket_id: int) -> Response:
    """Reject a macro or the draft that does not help; it is offered further down from now on."""
    macro_id = query_string.whole(request.form.get("macro"))
    kind = "draft" if macro_id is None else "macro"
    note_outcome.turn_down(services(), ticket_id, viewer=viewer(), kind=kind, macro_id=macro_id)
    flash(_("Noted: it does not help here, and comes further down from now on."), "good")
    return redirect(url_for("pages_tickets.show", ticket_id=ticket_id, _anchor="answer"))
