"""Corrections of predictions, and the undo of any change of a ticket."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import Conflict, InputError, NotReady, TaskMissing
from app.desk.flows import find_ticket_parts
from app.desk.flows.keep_queues import QUEUE
from app.intents.flows import correct_prediction
from app.web import access
from app.web.access import requires, services, viewer
from app.web.display.label_titles import label_title
from app.web.display.translation import gettext as _
from app.web.template_context import tell, tell_changed

blueprint = Blueprint("pages_corrections", __name__)


@blueprint.post("/predictions/<number:prediction_id>/correct")
@requires("tickets:write")
def correct(prediction_id: int) -> Response:
    """Put a person's label in place of the model's; it becomes a training example and can be undone."""
    me = viewer()
    ticket_id = find_ticket_parts.prediction(services(), prediction_id, viewer=me).message.ticket_id
    back = url_for("pages_tickets.show", ticket_id=ticket_id, _anchor=f"prediction-{prediction_id}")
    try:
        made = correct_prediction.correct(
            services(), viewer=me, label=request.form.get("label", ""), prediction_id=prediction_id
        )
    except (InputError, NotReady, TaskMissing) as error:
        tell(error)
        return redirect(back)
    message = _("Corrected to “%(label)s”. The model learns from it.", label=label_title(made.row.label))
    if made.event is not None and "queue_id" in made.event.after:
        queue = QUEUE.read(services().db, made.event.after["queue_id"])
        message += " " + _("The ticket moved to %(queue)s.", queue=queue.title)
        if not me.sees_queue(queue.id):
            back = url_for("pages_inbox.index")
    tell_changed(message, event=made.event, back=back, endpoint="pages_corrections.undo")
    return redirect(back)


@blueprint.post("/undo/<number:event_id>")
@requires("tickets:write")
def undo(event_id: int) -> Response:
    """Undo a change unless a later one stands in the way; a reply that is called back is in the box again."""
    try:
        inverse = changes.undo(services(), event_id, viewer=viewer())
    except Conflict as error:
        tell(error)
        return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_inbox.index")))
    flash(_("Taken back."), "good")
    if inverse.verb == "recalled":
        return redirect(url_for("pages_tickets.show", ticket_id=inverse.noun_id, take="recalled", _anchor="answer"))
    return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_inbox.index")))
