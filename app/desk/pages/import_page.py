"""Imports from another desk: a file is handed in, its columns are chosen and tried, its tickets are imported."""

from __future__ import annotations

from typing import Any, cast, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core.errors import BellwetherError
from app.core.jobs import job_rows
from app.core.jobs.job import Job
from app.desk.domain.import_file import Field, Source, TicketFile
from app.desk.flows import show_queues
from app.desk.flows.imports import import_tickets
from app.people.pages.admin_section import SECTIONS
from app.web import problem_sentences, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.security import large_body
from app.web.template_context import refused, tell

blueprint = Blueprint("pages_moving", __name__)

Shown = str | Response | tuple[str, int]
MOST_FILES, MOST_FAULTS = 20, 100
OVER = ("completed", "failed")


@blueprint.get("/admin/move-in")
@requires("settings:write")
def index() -> str:
    """Show the form for a file, and the files handed in before."""
    files = [(file, _job(file.import_job_id)) for file in import_tickets.latest(services(), limit=MOST_FILES)]
    return render_template("moving/index.html", files=files, sections=SECTIONS)


@blueprint.post("/admin/move-in")
@requires("settings:write")
@large_body
def add() -> Shown:
    """Take a file; the meaning of its columns is guessed and tried at once."""
    sent = request.files.get("file")
    content = b"" if sent is None else sent.stream.read()
    if sent is None or not content:
        flash(_("Choose a file."), "error")
        return index(), 422
    try:
        file = import_tickets.add(services(), name=sent.filename or "export", content=content, viewer=viewer())
    except BellwetherError as error:
        return refused(error, index)
    return redirect(url_for("pages_moving.show", file_id=file.id))


@blueprint.get("/admin/move-in/<number:file_id>")
@requires("settings:write")
def show(file_id: int) -> str:
    """Show the meaning of the columns, what would come in, and the progress of the import."""
    return _page(file_id)


@blueprint.post("/admin/move-in/<number:file_id>")
@requires("settings:write")
def choose(file_id: int) -> Shown:
    """Choose the meaning of the columns; the file is tried again."""
    form = request.form
    try:
        import_tickets.choose(
            services(),
            file_id,
            viewer=viewer(),
            mapping={field: form.get(field, "") for field in get_args(Field)},
            source=cast(Source, form.get("source", "plain")),
            queue_id=query_string.whole(form.get("to_queue")),
        )
    except BellwetherError as error:
        return refused(error, lambda: _page(file_id, chosen=form))
    return redirect(url_for("pages_moving.show", file_id=file_id))


@blueprint.post("/admin/move-in/<number:file_id>/import")
@requires("settings:write")
def begin(file_id: int) -> Response:
    """Import the file."""
    try:
        import_tickets.begin(services(), file_id, viewer=viewer())
    except BellwetherError as error:
        tell(error)
    return redirect(url_for("pages_moving.show", file_id=file_id))


def _page(file_id: int, *, chosen: Any = None) -> str:
    file = import_tickets.get(services(), file_id)
    taken = _job(file.import_job_id)
    job = taken or _job(file.check_job_id)
    faults = [] if job is None else job.errors[:MOST_FAULTS]
    return render_template(
        "moving/show.html",
        file=file,
        job=job,
        is_import=taken is not None,
        is_over=job is not None and job.state in OVER,
        faults=[(fault.row, problem_sentences.sentence(fault.code, fault.params)[1]) for fault in faults],
        fields=get_args(Field),
        sources=get_args(Source),
        mapping=file.mapping if chosen is None else chosen,
        source=file.source if chosen is None else chosen.get("source"),
        to_queue=file.queue_id if chosen is None else chosen.get("to_queue"),
        queues=show_queues.every(services()),
        samples={column: _sample(file, column=column) for column in file.columns},
        sections=SECTIONS,
    )


def _sample(file: TicketFile, *, column: str) -> str:
    return next((record[column] for record in file.sample if record.get(column)), "")


def _job(job_id: int | None) -> Job | None:
    return None if job_id is None else job_rows.get(services().db, job_id)
