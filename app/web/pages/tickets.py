"""One ticket: its thread, what is believed of it and why, and everything an agent does to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, get_args

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.domain.prediction import StoredPrediction
from app.domain.ticket import Status, Ticket
from app.errors import BellwetherError, InputError, NotFound, Stale
from app.pipeline import corrections, knowledge, reading, tickets
from app.pipeline.knowledge import Answers
from app.pipeline.tickets import TicketView
from app.store import attachments, events, macros, messages, predictions, queues, users
from app.web import problems
from app.web.auth import requires, services, viewer
from app.web.pages import beliefs, explanations, filters, told
from app.web.pages.context import offer_undo
from app.web.pages.translate import gettext as _

blueprint = Blueprint("pages_tickets", __name__)

STATUS_AFTER: dict[str, Status] = {"reply_pending": "pending", "reply_solved": "solved"}


def _answers(ticket_id: int) -> Answers | None:
    """Macros, articles and a draft; None while the model or the search encoder is not ready."""
    try:
        return knowledge.answer(services(), ticket_id, viewer=viewer())
    except NotFound:
        raise
    except BellwetherError:
        return None


def _sources(answers: Answers | None) -> list[dict[str, Any]]:
    if answers is None:
        return []
    titles = {hit.article_id: hit.title for hit in answers.hits}
    used = dict.fromkeys(
        sentence.source_id for sentence in answers.draft.sentences if sentence.source_kind == "article"
    )
    return [{"article_id": number, "title": titles[number]} for number in used if number in titles]


def _taken(answers: Answers | None, *, body_recalled: str | None) -> dict[str, Any]:
    """What a press on "put into the reply" brings without a script, or what was called back."""
    take = request.args.get("take")
    if take == "recalled":
        return {"body": body_recalled or "", "macro_id": ""}
    if answers is None or not take:
        return {"body": "", "macro_id": ""}
    if take == "draft":
        return {"body": answers.draft.text, "macro_id": ""}
    chosen = [offer for offer in answers.macros if offer.macro.id == filters.whole(take)]
    return {"body": chosen[0].filled, "macro_id": chosen[0].macro.id} if chosen else {"body": "", "macro_id": ""}


def _recalled(ticket_id: int) -> str | None:
    user_id = viewer().user_id
    found = None if user_id is None else messages.last_recalled(services().db, ticket_id, user_id=user_id)
    return None if found is None else found.body


def _history(view: TicketView) -> list[told.Line]:
    db = services().db
    names = told.Names(
        queues={queue.id: queue.title for queue in queues.every(db)},
        people=users.names(db, told.people_in(view.events)),
        macros={macro.id: macro.name for macro in macros.every(db)},
    )
    return told.lines(view.events, names=names, is_undoable=corrections.is_undoable)


def _feelings(view: TicketView) -> dict[int, Any]:
    return {
        message_id: next((one.prediction for one in stored if one.prediction.role == "sentiment"), None)
        for message_id, stored in view.predictions.items()
    }


def _page(ticket_id: int, *, body: str | None = None) -> str:
    me, db = viewer(), services().db
    view = tickets.show(services(), ticket_id, viewer=me)
    answers = _answers(ticket_id)
    files: dict[int, list[Any]] = {}
    for file in view.attachments:
        files.setdefault(file.message_id, []).append(file)
    return render_template(
        "tickets/ticket.html",
        view=view,
        owed=view.sla,
        beliefs=beliefs.of(services(), view=view),
        feelings=_feelings(view),
        attachments=files,
        answers=answers,
        sources=_sources(answers),
        taken=_taken(answers, body_recalled=_recalled(ticket_id))
        if body is None
        else {"body": body, "macro_id": request.form.get("macro_id", "")},
        history=_history(view),
        agents=[user for user in users.every(db, is_active=True) if user.role != "analyst"],
        queues=queues.every(db),
        me=me,
    )


@blueprint.get("/tickets/<number:ticket_id>")
@requires("tickets:read")
def show(ticket_id: int) -> str:
    """The ticket's page."""
    return _page(ticket_id)


def _change(ticket_id: int, change: Callable[[int | None], Ticket], *, message: str) -> BaseResponse:
    """Do one thing to a ticket and offer to take it back; what somebody else changed meanwhile is not overwritten."""
    back = url_for("pages_tickets.show", ticket_id=ticket_id)
    before = events.of(services().db, "ticket", ticket_id)
    try:
        change(filters.whole(request.form.get("version")))
    except Stale:
        flash(
            _("Somebody changed this ticket in the meantime. This is how it stands now; your change was not saved."),
            "error",
        )
        return redirect(back)
    news = events.of(services().db, "ticket", ticket_id)[len(before) :]
    if news and corrections.is_undoable(news[-1]):
        offer_undo(message, event_id=news[-1].id, back=back, until=news[-1].after.get("not_before_at"))
    elif news:
        flash(message, "good")
    return redirect(back)


@blueprint.post("/tickets/<number:ticket_id>/reply")
@requires("tickets:write")
def reply(ticket_id: int) -> str | BaseResponse | tuple[str, int]:
    """Answer the customer, or keep a note."""
    me, body, action = viewer(), request.form.get("body", ""), request.form.get("action", "reply")
    if not body.strip():
        flash(_("Write something first; an empty message is not sent."), "error")
        return _page(ticket_id, body=body), 422
    if action != "note" and "{{" in body:
        flash(_("A placeholder is still empty. Fill in what stands in {{ … }}, then send."), "error")
        return _page(ticket_id, body=body), 422
    if action == "note":
        return _change(
            ticket_id,
            lambda _version: tickets.note(services(), ticket_id, viewer=me, body=body),
            message=_("The note is kept."),
        )
    macro_id = filters.whole(request.form.get("macro_id"))
    return _change(
        ticket_id,
        lambda _version: tickets.reply(
            services(), ticket_id, viewer=me, body=body, macro_id=macro_id, status=STATUS_AFTER.get(action)
        ),
        message=_("The reply goes out in 10 seconds; until then it can be called back."),
    )


@blueprint.post("/tickets/<number:ticket_id>/assign")
@requires("tickets:write")
def assign(ticket_id: int) -> BaseResponse:
    """Give the ticket to somebody, or to nobody."""
    me, chosen = viewer(), filters.whole(request.form.get("assignee"))
    return _change(
        ticket_id,
        lambda version: tickets.assign(services(), ticket_id, viewer=me, assignee_id=chosen, version=version),
        message=_("Assigned.") if chosen else _("Assigned to nobody."),
    )


@blueprint.post("/tickets/<number:ticket_id>/status")
@requires("tickets:write")
def set_status(ticket_id: int) -> BaseResponse:
    """Change where the ticket stands."""
    me, chosen = viewer(), request.form.get("status", "")
    if chosen not in get_args(Status):
        raise InputError("invalid_input")
    return _change(
        ticket_id,
        lambda version: tickets.set_status(
            services(), ticket_id, viewer=me, status=cast(Status, chosen), version=version
        ),
        message=_("The status is set."),
    )


@blueprint.post("/tickets/<number:ticket_id>/route")
@requires("tickets:write")
def route(ticket_id: int) -> BaseResponse:
    """Move the ticket to another queue; one out of the mover's sight takes the ticket there too."""
    me, chosen = viewer(), filters.whole(request.form.get("queue"))
    if chosen is None:
        raise InputError("invalid_input")
    done = _change(
        ticket_id,
        lambda version: tickets.route(services(), ticket_id, viewer=me, queue_id=chosen, version=version),
        message=_("The ticket is moved."),
    )
    return redirect(url_for("pages_inbox.index")) if me.queue_ids is not None and chosen not in me.queue_ids else done


def _stored(view: TicketView, *, prediction_id: int) -> StoredPrediction:
    stored = predictions.get(services().db, prediction_id)
    if stored.subject_kind != "message" or stored.subject_id not in {message.id for message in view.messages}:
        raise NotFound(noun="prediction", id=prediction_id)
    return stored


@blueprint.get("/tickets/<number:ticket_id>/predictions/<number:prediction_id>/words")
@requires("tickets:read")
def explain(ticket_id: int, prediction_id: int) -> str | tuple[str, int]:
    """The words that carried a prediction: a fragment for the page's script, a page of its own without."""
    view = tickets.show(services(), ticket_id, viewer=viewer())
    stored = _stored(view, prediction_id=prediction_id)
    text = next(message.text for message in view.messages if message.id == stored.subject_id)
    is_fragment = request.headers.get("X-Requested-With") == "fetch"
    try:
        found = reading.explain(services(), text, task=stored.prediction.task)
    except BellwetherError as error:
        if not is_fragment:
            raise
        return problems.sentence(error.code, error.params)[1], error.status
    return render_template(
        "tickets/words.html" if is_fragment else "tickets/explanation.html",
        words=explanations.pieces(text, weights=found.words),
        fidelity=found.fidelity,
        label=found.label,
        ticket_id=ticket_id,
    )


@blueprint.get("/tickets/<number:ticket_id>/attachments/<number:attachment_id>")
@requires("tickets:read")
def attachment(ticket_id: int, attachment_id: int) -> Response:
    """A file that came with a message, always as a download: it is never shown as a page of this site."""
    tickets.show(services(), ticket_id, viewer=viewer())
    file, content = attachments.content(services().db, attachment_id, viewer=viewer())
    answer = Response(content, mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=file.name)
    return answer
