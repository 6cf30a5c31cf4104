"""Telling the model what it should have said, and taking changes back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.core.errors import Conflict, InputError, NotReady, TaskMissing
from app.core.events import event_log
from app.core.permissions import Viewer
from app.desk.flows import correct_message, undo_event
from app.desk.store import queues, tickets
from app.intents.flows import correct_prediction
from app.web import access
from app.web.access import requires, services, viewer
from app.web.display.label_titles import label_title
from app.web.display.translation import gettext as _
from app.web.template_context import offer_undo, tell

blueprint = Blueprint("pages_corrections", __name__)


def _is_in_sight(ticket_id: int, *, me: Viewer) -> bool:
    return me.queue_ids is None or tickets.read(services().db, ticket_id).queue_id in me.queue_ids


@blueprint.post("/predictions/<number:prediction_id>/correct")
@requires("tickets:write")
def correct(prediction_id: int) -> Response:
    """A person's label in place of the model's; it becomes a training example and can be taken back."""
    me = viewer()
    ticket_id = correct_message.ticket_of(services(), prediction_id, viewer=me)
    back = url_for("pages_tickets.show", ticket_id=ticket_id, _anchor=f"prediction-{prediction_id}")
    last = event_log.last_id(services().db)
    try:
        made = correct_prediction.correct(
            services(), viewer=me, label=request.form.get("label", ""), prediction_id=prediction_id
        )
    except (InputError, NotReady, TaskMissing) as error:
        tell(error)
        return redirect(back)
    if not _is_in_sight(ticket_id, me=me):
        back = url_for("pages_inbox.index")
    news = [event for event in event_log.after(services().db, last) if event.verb == "corrected"]
    mine = [event for event in news if event.actor_id == me.actor_id]
    message = _("Corrected to “%(label)s”. The model learns from it.", label=label_title(made.label))
    if mine and "queue_id" in mine[-1].after:
        message += " " + _(
            "The ticket moved to %(queue)s.", queue=queues.get(services().db, mine[-1].after["queue_id"]).title
        )
    if mine:
        offer_undo(message, event_id=mine[-1].id, back=back)
    else:
        flash(message, "good")
    return redirect(back)


@blueprint.post("/undo/<number:event_id>")
@requires("tickets:write")
def undo(event_id: int) -> Response:
    """Take a change back, unless a later one stands in the way; a reply called back is in the box again."""
    try:
        inverse = undo_event.undo(services(), event_id, viewer=viewer())
    except Conflict as error:
        tell(error)
        return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_inbox.index")))
    flash(_("Taken back."), "good")
    if inverse.after.get("kind") in ("replied", "noted"):
        return redirect(url_for("pages_tickets.show", ticket_id=inverse.noun_id, take="recalled", _anchor="answer"))
    return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_inbox.index")))
