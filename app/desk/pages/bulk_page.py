"""One action on all tickets of a filter: chosen, counted, confirmed, watched, and taken back."""

from __future__ import annotations

from typing import Any, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.answers.store import macros
from app.core.errors import BellwetherError, Conflict
from app.desk.domain.bulk import BulkOrder
from app.desk.domain.ticket import Priority, Status
from app.desk.flows import run_bulk_job
from app.desk.pages import inbox_address
from app.desk.store import bulk_items, inbox_query, queues
from app.model.flows import deploy_model
from app.people.store import users
from app.web import problem_sentences, query_string
from app.web.access import requires, services, viewer
from app.web.display.enum_words import word
from app.web.display.label_titles import label_title, task_title
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_bulk", __name__)

_OWN = frozenset({"do", "to", "leave_out", "csrf_token"})


def _link(endpoint: str, **changes: object) -> str:
    kept = query_string.kept(request.args, **changes)
    return url_for(endpoint, **{name: value for name, value in kept.items() if name not in _OWN - set(changes)})


def _choices() -> list[dict[str, Any]]:
    """Each action with what it can be done with."""
    db, me = services().db, viewer()
    agents = [(user.id, user.name) for user in users.every(db, is_active=True) if user.role != "analyst"]
    labels = _labels()
    priorities = [(one, word("priority", one)) for one in get_args(Priority)]
    rows: list[tuple[str, str, list[tuple[Any, str]]]] = [
        ("assign", _("Assign to"), [("none", _("Nobody")), *agents]),
        ("route", _("Move to queue"), [(queue.id, queue.title) for queue in queues.every(db, viewer=me)]),
        ("set_status", _("Set the status"), [(one, word("status", one)) for one in get_args(Status)]),
        ("set_priority", _("Set the priority"), priorities),
        ("apply_macro", _("Do what a macro does"), [(one.id, one.name) for one in macros.every(db) if one.actions]),
        ("correct", _("Correct a label"), labels),
    ]
    return [{"action": action, "title": title, "options": options} for action, title, options in rows if options]


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
    params: dict[str, dict[str, Any]] = {
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


def _page(order: BulkOrder | None, *, status: int = 200) -> tuple[str, int]:
    me = viewer()
    chosen = inbox_address.ticket_filter(request.args, me=me.user_id)
    page = inbox_query.page(services().db, chosen, viewer=me, limit=5)
    n_total = len(inbox_query.ids(services().db, chosen, viewer=me)) if page.is_capped else page.total
    actions, to = _choices(), request.values.get("to", "")
    asked = next((entry for entry in actions if order is not None and entry["action"] == order.action), None)
    names = {str(value): name for value, name in asked["options"]} if asked else {}
    shown = {
        "n_total": n_total,
        "first": page.items,
        "actions": actions,
        "asked": asked,
        "value": names.get(to, to),
        "n_asked": None if order is None else run_bulk_job.count(services(), order, viewer=me),
        "leave_out": request.values.get("leave_out", ""),
    }
    return render_template("tickets/bulk.html", link=_link, back=_link("pages_inbox.index"), **shown), status


@blueprint.get("/tickets/bulk")
@requires("tickets:write")
def choose() -> tuple[str, int]:
    """What to do to all tickets of the filter; with an action chosen, how many it is about."""
    try:
        return _page(_order(request.args))
    except BellwetherError as error:
        status = tell(error)
        return _page(None, status=status)


@blueprint.post("/tickets/bulk")
@requires("tickets:write")
def begin() -> Response | tuple[str, int]:
    """Do it."""
    try:
        order = _order(request.form)
        if order is None:
            return _page(None, status=422)
        job = run_bulk_job.begin(services(), order, viewer=viewer())
    except BellwetherError as error:
        status = tell(error)
        return _page(None, status=status)
    return redirect(url_for("pages_bulk.show", job_id=job.id, back=_link("pages_inbox.index")))


@blueprint.get("/tickets/bulk/<number:job_id>")
@requires("tickets:write")
def show(job_id: int) -> str:
    """How far a job is, what failed, and the way back."""
    db = services().db
    job = run_bulk_job.show(services(), job_id, viewer=viewer())
    faults = [(fault.row, problem_sentences.sentence(fault.code, fault.params)[1]) for fault in job.errors]
    is_over = job.state in ("completed", "failed")
    return render_template(
        "tickets/bulk_job.html",
        job=job,
        faults=faults,
        is_over=is_over,
        n_changed=bulk_items.n_changed(db, job_id) if is_over else 0,
        undone_by=run_bulk_job.undone_by(services(), job_id),
        back=request.args.get("back", ""),
    )


@blueprint.post("/tickets/bulk/<number:job_id>/undo")
@requires("tickets:write")
def undo(job_id: int) -> Response:
    """Take the whole job back."""
    try:
        job = run_bulk_job.undo(services(), job_id, viewer=viewer())
    except Conflict as error:
        tell(error)
        return redirect(url_for("pages_bulk.show", job_id=job_id))
    flash(_("The job is being taken back."), "good")
    return redirect(url_for("pages_bulk.show", job_id=job.id))
