"""The page of a ticket: its thread, the words behind a prediction, its files, and who else has it open."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.core.errors import BellwetherError, DatabaseBusy
from app.desk.domain.ticket import Present
from app.desk.flows import find_ticket_parts, note_presence
from app.desk.flows.act_on_ticket import TICKET
from app.desk.pages import inbox_walk, ticket_rendering
from app.model.flows import read_text
from app.model.pages import explanations
from app.web import problem_sentences, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _

blueprint = Blueprint("pages_tickets", __name__)


@blueprint.get("/tickets/<number:ticket_id>")
@requires("tickets:read")
def show(ticket_id: int) -> str:
    """Show a ticket."""
    return ticket_rendering.render(ticket_id)


@blueprint.get("/tickets/<number:ticket_id>/next")
@requires("tickets:read")
def following(ticket_id: int) -> BaseResponse:
    """Go to the next ticket of the inbox that was seen last."""
    return _redirected(inbox_walk.following(ticket_id), message=_("That was the last ticket of this list."))


@blueprint.get("/tickets/<number:ticket_id>/previous")
@requires("tickets:read")
def previous(ticket_id: int) -> BaseResponse:
    """Go to the ticket before in the inbox that was seen last."""
    return _redirected(inbox_walk.preceding(ticket_id), message=_("That was the first ticket of this list."))


def _redirected(ticket_id: int | None, *, message: str) -> BaseResponse:
    if ticket_id is None:
        flash(message, "good")
        return redirect(inbox_walk.inbox())
    return redirect(url_for("pages_tickets.show", ticket_id=ticket_id))


@blueprint.post("/tickets/<number:ticket_id>/presence")
@requires("tickets:read")
def be_present(ticket_id: int) -> Response:
    """Note that a page is open; answer who else is there, and that the ticket has changed since it was loaded."""
    if request.form.get("left"):
        with suppress(DatabaseBusy):
            note_presence.left(services(), ticket_id, viewer=viewer())
        return jsonify({"others": "", "news": ""})
    is_typing = request.form.get("typing") == "1"
    others = note_presence.seen(services(), ticket_id, viewer=viewer(), is_typing=is_typing)
    now = TICKET.get(services().db, ticket_id, viewer=viewer()).version
    news = "" if query_string.whole(request.form.get("version")) in (None, now) else _("This ticket has changed.")
    return jsonify({"others": " ".join(present_line(one) for one in others), "news": news})


def present_line(one: Present) -> str:
    """The sentence that says what somebody else with the ticket open is doing."""
    if one.is_typing:
        return _("%(name)s is writing a reply.", name=one.name)
    return _("%(name)s is reading this ticket too.", name=one.name)


@blueprint.get("/tickets/<number:ticket_id>/predictions/<number:prediction_id>/words")
@requires("tickets:read")
def explain(ticket_id: int, prediction_id: int) -> str | tuple[str, int]:
    """Show the words that carried a prediction: a fragment for the page's script, else a page of its own."""
    said = find_ticket_parts.prediction(services(), prediction_id, viewer=viewer(), ticket_id=ticket_id)
    is_fragment = request.headers.get("X-Requested-With") == "fetch"
    try:
        found = read_text.explain(services(), said.message.text, task=said.stored.prediction.task)
    except BellwetherError as error:
        if not is_fragment:
            raise
        return problem_sentences.sentence(error.code, error.params)[1], error.status
    return render_template(
        "tickets/words.html" if is_fragment else "tickets/explanation.html",
        words=explanations.pieces(said.message.text, weights=found.words),
        fidelity=found.fidelity,
        slips=found.slips,
        label=found.label,
        ticket_id=ticket_id,
    )


@blueprint.get("/tickets/<number:ticket_id>/attachments/<number:attachment_id>")
@requires("tickets:read")
def attachment(ticket_id: int, attachment_id: int) -> Response:
    """Download a file that came with a message; it is never shown as a page of this site."""
    file, content = find_ticket_parts.attachment(services(), attachment_id, ticket_id=ticket_id, viewer=viewer())
    answer = Response(content, mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=file.name)
    return answer
