"""One ticket: its thread, what is believed of it and why, its files, and who else has it open."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.core.errors import BellwetherError, DatabaseBusy, NotFound
from app.core.prediction import StoredPrediction
from app.desk.domain.ticket import Present
from app.desk.flows import file_ticket, note_presence
from app.desk.flows.file_ticket import TicketView
from app.desk.pages import inbox_walk, ticket_parts
from app.desk.store import attachments
from app.desk.store import tickets as rows
from app.model.flows import read_text
from app.model.pages import explanations
from app.model.store import predictions
from app.web import problem_sentences, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _

blueprint = Blueprint("pages_tickets", __name__)


@blueprint.get("/tickets/<number:ticket_id>")
@requires("tickets:read")
def show(ticket_id: int) -> str:
    """The ticket's page."""
    return ticket_parts.render(ticket_id)


@blueprint.get("/tickets/<number:ticket_id>/next")
@requires("tickets:read")
def following(ticket_id: int) -> BaseResponse:
    """The next ticket of the inbox that was seen last."""
    found = inbox_walk.after(rows.get(services().db, ticket_id, viewer=viewer()))
    return _gone_to(found, message=_("That was the last ticket of this list."))


@blueprint.get("/tickets/<number:ticket_id>/previous")
@requires("tickets:read")
def previous(ticket_id: int) -> BaseResponse:
    """The ticket before in the inbox that was seen last."""
    found = inbox_walk.before(rows.get(services().db, ticket_id, viewer=viewer()))
    return _gone_to(found, message=_("That was the first ticket of this list."))


def _gone_to(ticket_id: int | None, *, message: str) -> BaseResponse:
    if ticket_id is None:
        flash(message, "good")
        return redirect(inbox_walk.inbox())
    return redirect(url_for("pages_tickets.show", ticket_id=ticket_id))


@blueprint.post("/tickets/<number:ticket_id>/presence")
@requires("tickets:read")
def be_present(ticket_id: int) -> Response:
    """A sign of life from an open page; who else is there, and whether the ticket has changed since it was loaded."""
    if request.form.get("left"):
        try:
            note_presence.left(services(), ticket_id, viewer=viewer())
        except DatabaseBusy:
            return jsonify({"others": "", "news": ""})
        return jsonify({"others": "", "news": ""})
    is_typing = request.form.get("typing") == "1"
    others = note_presence.seen(services(), ticket_id, viewer=viewer(), is_typing=is_typing)
    now = rows.get(services().db, ticket_id, viewer=viewer()).version
    news = "" if query_string.whole(request.form.get("version")) in (None, now) else _("This ticket has changed.")
    return jsonify({"others": " ".join(present_line(one) for one in others), "news": news})


def present_line(one: Present) -> str:
    """What somebody who is there is doing, as a sentence."""
    if one.is_typing:
        return _("%(name)s is writing a reply.", name=one.name)
    return _("%(name)s is reading this ticket too.", name=one.name)


def _stored(view: TicketView, *, prediction_id: int) -> StoredPrediction:
    stored = predictions.get(services().db, prediction_id)
    if stored.subject_kind != "message" or stored.subject_id not in {message.id for message in view.messages}:
        raise NotFound(noun="prediction", id=prediction_id)
    return stored


@blueprint.get("/tickets/<number:ticket_id>/predictions/<number:prediction_id>/words")
@requires("tickets:read")
def explain(ticket_id: int, prediction_id: int) -> str | tuple[str, int]:
    """The words that carried a prediction: a fragment for the page's script, a page of its own without."""
    view = file_ticket.show(services(), ticket_id, viewer=viewer())
    stored = _stored(view, prediction_id=prediction_id)
    text = next(message.text for message in view.messages if message.id == stored.subject_id)
    is_fragment = request.headers.get("X-Requested-With") == "fetch"
    try:
        found = read_text.explain(services(), text, task=stored.prediction.task)
    except BellwetherError as error:
        if not is_fragment:
            raise
        return problem_sentences.sentence(error.code, error.params)[1], error.status
    return render_template(
        "tickets/words.html" if is_fragment else "tickets/explanation.html",
        words=explanations.pieces(text, weights=found.words),
        fidelity=found.fidelity,
        slips=found.slips,
        label=found.label,
        ticket_id=ticket_id,
    )


@blueprint.get("/tickets/<number:ticket_id>/attachments/<number:attachment_id>")
@requires("tickets:read")
def attachment(ticket_id: int, attachment_id: int) -> Response:
    """A file that came with a message, always as a download: it is never shown as a page of this site."""
    file_ticket.show(services(), ticket_id, viewer=viewer())
    file, content = attachments.content(services().db, attachment_id, viewer=viewer())
    answer = Response(content, mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=file.name)
    return answer
