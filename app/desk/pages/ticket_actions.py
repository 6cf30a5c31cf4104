"""What an agent does to a ticket: answer, note, take, assign, move, set, tag; each can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

from flask import Blueprint, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from app.core.errors import Conflict, InputError, Stale
from app.core.events import event_log
from app.desk.domain.ticket import Priority, Status, Ticket
from app.desk.flows import file_ticket, undo_event
from app.desk.flows.mail import send_mail
from app.desk.flows.replies import note_outcome
from app.desk.pages import inbox_walk, ticket_parts
from app.desk.store import tickets as rows
from app.people.store import users
from app.web import query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import offer_undo, tell

blueprint = Blueprint("pages_acts", __name__)

STATUS_AFTER: dict[str, Status] = {"reply_pending": "pending", "reply_solved": "solved"}
Shown = str | Response | tuple[str, int]


def _change(ticket_id: int, change: Callable[[int | None], Ticket], *, message: str, body: str | None = None) -> Shown:
    """Do one thing to a ticket and offer to take it back; what somebody else changed meanwhile is not overwritten."""
    page = url_for("pages_tickets.show", ticket_id=ticket_id)
    goes_on = bool(request.form.get("next"))
    following = inbox_walk.after(rows.get(services().db, ticket_id, viewer=viewer())) if goes_on else None
    before = event_log.last_id(services().db)
    try:
        change(query_string.whole(request.form.get("version")))
    except Stale:
        return ticket_parts.render(ticket_id, body=body, clashed=ticket_parts.clash(ticket_id)), 412
    news = [event for event in event_log.of(services().db, "ticket", ticket_id) if event.id > before]
    if news and undo_event.is_undoable(news[-1]):
        offer_undo(message, event_id=news[-1].id, back=page, until=news[-1].after.get("not_before_at"))
    elif news:
        flash(message, "good")
    if goes_on:
        return redirect(inbox_walk.inbox() if following is None else url_for("pages_tickets.show", ticket_id=following))
    return redirect(page if _is_in_sight(ticket_id) else inbox_walk.inbox())


def _is_in_sight(ticket_id: int) -> bool:
    me = viewer()
    return me.queue_ids is None or rows.read(services().db, ticket_id).queue_id in me.queue_ids


@blueprint.post("/tickets/<number:ticket_id>/reply")
@requires("tickets:write")
def reply(ticket_id: int) -> Shown:
    """Answer the customer, or keep a note."""
    me, body, action = viewer(), request.form.get("body", ""), request.form.get("action", "reply")
    session["goes_on"] = bool(request.form.get("next"))
    if not body.strip():
        flash(_("Write something first; an empty message is not sent."), "error")
        return ticket_parts.render(ticket_id, body=body), 422
    try:
        if action == "note":
            return _change(
                ticket_id,
                lambda _version: file_ticket.note(services(), ticket_id, viewer=me, body=body),
                message=_("The note is kept."),
            )
        return _replied(ticket_id, body=body, action=action)
    except InputError as error:
        status = tell(error)
        return ticket_parts.render(ticket_id, body=body), status


def _replied(ticket_id: int, *, body: str, action: str) -> Shown:
    me, macro_id = viewer(), query_string.whole(request.form.get("macro_id"))
    answers = ticket_parts.answers_of(ticket_id) if request.form.get("draft") and macro_id is None else None
    return _change(
        ticket_id,
        lambda version: file_ticket.reply(
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
    me, chosen = viewer(), query_string.whole(request.form.get("assignee"))
    return _change(
        ticket_id,
        lambda version: file_ticket.assign(services(), ticket_id, viewer=me, assignee_id=chosen, version=version),
        message=_("Assigned.") if chosen else _("Assigned to nobody."),
    )


@blueprint.post("/tickets/<number:ticket_id>/take")
@requires("tickets:write")
def take(ticket_id: int) -> Response:
    """Take a ticket that nobody has, from the inbox."""
    me, db = viewer(), services().db
    before = rows.get(db, ticket_id, viewer=me)
    if before.assignee_id not in (None, me.user_id):
        tell(Conflict("taken_by", name=users.get(db, before.assignee_id).name))
        return redirect(inbox_walk.inbox())
    last = event_log.last_id(db)
    file_ticket.assign(services(), ticket_id, viewer=me, assignee_id=me.user_id, version=before.version)
    news = [event for event in event_log.of(db, "ticket", ticket_id) if event.id > last]
    if news:
        offer_undo(_("#%(number)s is yours.", number=ticket_id), event_id=news[-1].id, back=inbox_walk.inbox())
    return redirect(inbox_walk.inbox())


@blueprint.post("/tickets/<number:ticket_id>/status")
@requires("tickets:write")
def set_status(ticket_id: int) -> Shown:
    """Change where the ticket stands."""
    me, chosen = viewer(), request.form.get("status", "")
    if chosen not in get_args(Status):
        raise InputError("invalid_input")
    return _change(
        ticket_id,
        lambda version: file_ticket.set_status(
            services(), ticket_id, viewer=me, status=cast(Status, chosen), version=version
        ),
        message=_("The status of #%(number)s is set.", number=ticket_id),
    )


@blueprint.post("/tickets/<number:ticket_id>/priority")
@requires("tickets:write")
def set_priority(ticket_id: int) -> Shown:
    """Choose a priority, which the model then leaves alone."""
    me, chosen = viewer(), request.form.get("priority", "")
    if chosen not in get_args(Priority):
        raise InputError("invalid_input")
    return _change(
        ticket_id,
        lambda version: file_ticket.set_priority(
            services(), ticket_id, viewer=me, priority=cast(Priority, chosen), version=version
        ),
        message=_("The priority is set."),
    )


@blueprint.post("/tickets/<number:ticket_id>/tags")
@requires("tickets:write")
def tag(ticket_id: int) -> Shown:
    """Make these the ticket's tags, with commas between them."""
    me = viewer()
    wanted = tuple(part.strip() for part in request.form.get("tags", "").replace("，", ",").split(",") if part.strip())
    return _change(
        ticket_id,
        lambda version: file_ticket.tag(services(), ticket_id, viewer=me, tags=wanted, version=version),
        message=_("The tags are set."),
    )


@blueprint.post("/tickets/<number:ticket_id>/route")
@requires("tickets:write")
def route(ticket_id: int) -> Shown:
    """Move the ticket to another queue; one out of the mover's sight takes the ticket there too."""
    me, chosen = viewer(), query_string.whole(request.form.get("queue"))
    if chosen is None:
        raise InputError("invalid_input")
    return _change(
        ticket_id,
        lambda version: file_ticket.route(services(), ticket_id, viewer=me, queue_id=chosen, version=version),
        message=_("The ticket is moved."),
    )


@blueprint.post("/tickets/<number:ticket_id>/letters/<number:outbox_id>/again")
@requires("tickets:write")
def send_again(ticket_id: int, outbox_id: int) -> Response:
    """Send a reply once more that could not be sent or came back."""
    try:
        send_mail.send_again(services(), outbox_id, viewer=viewer())
        flash(_("The reply is sent once more."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_tickets.show", ticket_id=ticket_id))


@blueprint.post("/tickets/<number:ticket_id>/reject")
@requires("tickets:write")
def reject(ticket_id: int) -> Response:
    """Say that a macro or the draft does not help here; it is offered further down from now on."""
    macro_id = query_string.whole(request.form.get("macro"))
    kind = "draft" if macro_id is None else "macro"
    note_outcome.turn_down(services(), ticket_id, viewer=viewer(), kind=kind, macro_id=macro_id)
    flash(_("Noted: it does not help here, and comes further down from now on."), "good")
    return redirect(url_for("pages_tickets.show", ticket_id=ticket_id, _anchor="answer"))
