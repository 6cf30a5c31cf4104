"""Bulk changes: one action on all tickets of a filter is chosen, counted, confirmed, watched and undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.answers.flows import find_macros
from app.core.errors import BellwetherError, Conflict
from app.core.nouns import Fields
from app.desk.domain.bulk import BulkOrder
from app.desk.domain.ticket import Priority, Status
from app.desk.flows import find_agents, run_bulk_job, show_inbox, show_queues
from app.desk.pages import inbox_address
from app.model.flows import deploy_model
from app.web import problem_sentences, query_string
from app.web.access import requires, services, viewer
from app.web.display.enum_words import word
from app.web.display.label_titles import label_title, task_title
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell

blueprint = Blueprint("pages_bulk", __name__)

_OWN = frozenset({"do", "to", "leave_out", "csrf_token"})


def _link(endpoint: str, **changes: object) -> str:
    kept = query_string.kept(request.args, **changes)
    return url_for(endpoint, **{name: value for name, value in kept.items() if name not in _OWN - set(changes)})


class Choice(NamedTuple):
    """An action with the values and the names of its options."""

    action: str
    title: str
    options: Sequence[tuple[Any, str]]


def _choices() -> list[Choice]:
    """The actions with their options; an action without any is left out."""
    agents = [(user.id, user.name) for user in find_agents.every(services())]
    queues = [(queue.id, queue.title) for queue in show_queues.every(services(), viewer=viewer())]
    macros = [(one.id, one.name) for one in find_macros.with_words(services()) if one.actions]
    priorities = [(one, word("priority", one)) for one in get_args(Priority)]
    choices = (
        Choice("assign", _("Assign to"), [("none", _("Nobody")), *agents]),
        Choice("route", _("Move to queue"), queues),
        Choice("set_status", _("Set the status"), [(one, word("status", one)) for one in get_args(Status)]),
        Choice("set_priority", _("Set the priority"), priorities),
        Choice("apply_macro", _("Do what a macro does"), macros),
        Choice("correct", _("Correct a label"), _labels()),
    )
    return [one for one in choices if one.options]


def _labels() -> list[tuple[str, str]]:
    try:
        tasks = [task for task in deploy_model.tasks(services()) if task.role in ("intent", "sentiment")]
    except BellwetherError:
        return []
    return [
        (f"{task.name}/{one.id}", f"{task_title(task.name)}: {label_title(one.id)}")
        for task in tasks
        for one in task.labels
    ]


def _order(fields: Any) -> BulkOrder | None:
    action, to = fields.get("do", ""), fields.get("to", "")
    if not action or not to:
        return None
    task, _slash, label = to.partition("/")
    params: dict[str, Fields] = {
        "assign": {"assignee_id": query_string.whole(to)},
        "route": {"queue_id": query_string.whole(to)},
        "set_status": {"status": to},
        "set_priority": {"priority": to},
        "apply_macro": {"macro_id": query_string.whole(to)},
        "correct": {"task": task, "label": label},
    }
    numbers = [query_string.whole(part.lstrip("#")) for part in fields.get("leave_out", "").replace(",", " ").split()]
    left_out = [number for number in numbers if number is not None]
    chosen = inbox_address.ticket_filter(request.args, me=viewer().user_id)
    return run_bulk_job.order_of(chosen, action=action, params=params.get(action, {}), exclude_ids=left_out)


def _page(order: BulkOrder | None) -> str:
    me = viewer()
    chosen = inbox_address.ticket_filter(request.args, me=me.user_id)
    first, n_total = show_inbox.first(services(), chosen, viewer=me, limit=5)
    actions, to = _choices(), request.values.get("to", "")
    asked = next((entry for entry in actions if order is not None and entry.action == order.action), None)
    names = {str(value): name for value, name in asked.options} if asked else {}
    return render_template(
        "tickets/bulk.html",
        link=_link,
        back=_link("pages_inbox.index"),
        n_total=n_total,
        first=first,
        actions=actions,
        asked=asked,
        value=names.get(to, to),
        n_asked=None if order is None else run_bulk_job.count(services(), order, viewer=me),
        leave_out=request.values.get("leave_out", ""),
    )


@blueprint.get("/tickets/bulk")
@requires("tickets:write")
def choose() -> str | tuple[str, int]:
    """Show the actions for all tickets of the filter; once one is chosen, the number of tickets it is about."""
    try:
        return _page(_order(request.args))
    except BellwetherError as error:
        return refused(error, lambda: _page(None))


@blueprint.post("/tickets/bulk")
@requires("tickets:write")
def begin() -> Response | tuple[str, int]:
    """Begin the action as a job."""
    try:
        order = _order(request.form)
        if order is None:
            return _page(None), 422
        job = run_bulk_job.begin(services(), order, viewer=viewer())
    except BellwetherError as error:
        return refused(error, lambda: _page(None))
    return redirect(url_for("pages_bulk.show", job_id=job.id))


@blueprint.get("/tickets/bulk/<number:job_id>")
@requires("tickets:write")
def show(job_id: int) -> str:
    """Show the progress of a job, its failures, and its undo."""
    job = run_bulk_job.show(services(), job_id, viewer=viewer())
    return render_template(
        "tickets/bulk_job.html",
        job=job,
        faults=[(one.row, problem_sentences.sentence(one.code, one.params)[1]) for one in job.errors],
        is_over=job.state in ("completed", "failed"),
        n_changed=run_bulk_job.n_changed(services(), job),
        undone_by=run_bulk_job.undone_by(services(), job_id),
    )


@blueprint.post("/tickets/bulk/<number:job_id>/undo")
@requires("tickets:write")
def undo(job_id: int) -> Response:
    """Undo the whole job."""
    try:
        job = run_bulk_job.undo(services(), job_id, viewer=viewer())
    except Conflict as error:
        tell(error)
        return redirect(url_for("pages_bulk.show", job_id=job_id))
    flash(_("The job is being taken back."), "good")
    return redirect(url_for("pages_bulk.show", job_id=job.id))
