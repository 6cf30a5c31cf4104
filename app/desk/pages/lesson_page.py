"""Teaching: one doubtful ticket after the other, confirmed or corrected with one key."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app.core.errors import Conflict, InputError, NotReady, TaskMissing
from app.core.prediction import OUT_OF_SCOPE
from app.desk.flows import ask_lesson, find_ticket_parts, show_queues
from app.desk.pages import ticket_predictions
from app.web.access import requires, services, viewer
from app.web.display.label_titles import label_title
from app.web.display.translation import gettext as _
from app.web.template_context import tell, tell_changed

blueprint = Blueprint("pages_teach", __name__)

MOST_SKIPPED = 100


@blueprint.get("/teach")
@requires("tickets:write")
def index() -> str:
    """Show the next question of the day, the rest of the lesson, and the gain of more labels."""
    is_more = bool(request.args.get("more"))
    found = ask_lesson.lesson(services(), viewer=viewer(), leave_out=_skipped(), is_more=is_more)
    question = found.questions[0] if found.questions else None
    choices = ticket_predictions.choices_of(question.stored.prediction) if question else ()
    quick = ticket_predictions.quick_of(services(), question.stored.prediction, choices=choices) if question else ()
    return render_template(
        "tickets/teach.html",
        lesson=found,
        question=question,
        choices=choices,
        quick=[entry for entry in quick if entry[0] != OUT_OF_SCOPE or entry == quick[0]],
        outside=next((entry for entry in choices if entry[0] == OUT_OF_SCOPE and entry not in quick[:1]), None),
        titles=show_queues.titles(services()),
        is_more=is_more,
        has_skipped=bool(_skipped()),
    )


@blueprint.post("/teach/<number:prediction_id>")
@requires("tickets:write")
def answer(prediction_id: int) -> Response:
    """Take a person's answer: it is in force at once and can be undone."""
    me, back = viewer(), _back()
    asked = find_ticket_parts.prediction(services(), prediction_id, viewer=me)
    try:
        made = ask_lesson.answer(services(), prediction_id, label=request.form.get("label", ""), viewer=me)
    except (Conflict, InputError, NotReady, TaskMissing) as error:
        tell(error)
        return redirect(back)
    named = {"id": asked.message.ticket_id, "label": label_title(made.row.label)}
    sentence = (
        _("#%(id)s: confirmed, “%(label)s”.", **named)
        if made.row.label == asked.stored.prediction.label
        else _("#%(id)s: corrected to “%(label)s”.", **named)
    )
    tell_changed(sentence, event=made.event, back=back, endpoint="pages_corrections.undo")
    return redirect(back)


@blueprint.post("/teach/<number:prediction_id>/skip")
@requires("tickets:write")
def skip(prediction_id: int) -> Response:
    """Skip a question; it is asked again after the next sign-in."""
    session["teach_skipped"] = [*_skipped(), prediction_id][-MOST_SKIPPED:]
    return redirect(_back())


@blueprint.post("/teach/skipped")
@requires("tickets:write")
def recall() -> Response:
    """Ask the skipped questions again."""
    session.pop("teach_skipped", None)
    return redirect(_back())


def _skipped() -> list[int]:
    return list(session.get("teach_skipped", ()))


def _back() -> str:
    return url_for("pages_teach.index", more="1" if request.form.get("more") else None)
