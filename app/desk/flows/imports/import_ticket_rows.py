"""Files of tickets, and saved mail, filed row by row; what cannot be filed goes into quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.core.errors import BellwetherError, InputError
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.permissions import Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival
from app.core.services import Services
from app.core.text.file_rows import Row, RowFault, RowForm, csv_rows, json_rows, row_alone
from app.desk.flows import file_ticket
from app.desk.flows.file_ticket import Received
from app.desk.flows.mail import take_mail
from app.desk.sources import ticket_drafts as ticket_files

TICKET_COLUMNS = frozenset({"body", "text", "description", "message"})


def work(services: Services, content: bytes, *, job: Job, progress: Progress, viewer: Viewer) -> None:
    """File what a job brought: a mail (`eml`), or rows (`csv`, `jsonl`); raises InputError for another format."""
    form = str(job.params.get("format", "jsonl"))
    progress.n_total = content.count(b"\n")
    if form == "eml":
        _take_mail(services, content, job=job, progress=progress, viewer=viewer)
    elif form == "csv":
        _take_rows(services, content, form="csv", job=job, progress=progress, viewer=viewer)
    elif form == "jsonl":
        _take_rows(services, content, form="jsonl", job=job, progress=progress, viewer=viewer)
    else:
        raise InputError("unknown_format", format=form)


def _take_mail(services: Services, content: bytes, *, job: Job, progress: Progress, viewer: Viewer) -> None:
    try:
        take_mail.take_mail(services, content, viewer=viewer, source=_source(job))
    except InputError as error:
        progress.failed(1, code=error.code, params=error.params)
    else:
        progress.done()


def _take_rows(
    services: Services, content: bytes, *, form: RowForm, job: Job, progress: Progress, viewer: Viewer
) -> None:
    faults: list[tuple[Arrival, BellwetherError]] = []
    for row in rows_of(content, form=form):
        fault = row if isinstance(row, RowFault) else _fault_of(services, row, form=form, job=job, viewer=viewer)
        if fault is None:
            progress.done()
            continue
        progress.failed(fault.row, code=fault.code, params=fault.params)
        if len(faults) < keep_in_quarantine.MOST_OF_A_FILE:
            faults.append((_arrival(job, fault), keep_in_quarantine.row_error(fault.code, fault.params)))
    keep_in_quarantine.put(services, faults)


def rows_of(content: bytes, *, form: RowForm) -> Iterator[Row | RowFault]:
    """The rows of a file of tickets."""
    return csv_rows(content, known=TICKET_COLUMNS) if form == "csv" else json_rows(content)


def _fault_of(services: Services, row: Row, *, form: RowForm, job: Job, viewer: Viewer) -> RowFault | None:
    """File a row; why it cannot be a ticket, or None once it is one."""
    number, values = row
    try:
        file_row(services, values, form=form, name=f"job_{job.id}:{number}", viewer=viewer)
    except InputError as error:
        code, params = keep_in_quarantine.reason(error)
        return RowFault(row=number, code=code, params=params, raw=row_alone(values, form=form), form=form)
    return None


def file_row(services: Services, values: Mapping[str, Any], *, form: RowForm, name: str, viewer: Viewer) -> Received:
    """File one row as a ticket; raises InputError.

    Under a `name` of its own a row that is read again, after its worker died, is known and not filed twice.
    """
    with keep_in_quarantine.isolating_parser():
        draft = ticket_files.from_form(values) if form == "csv" else ticket_files.from_json(values)
    if not (draft.external_id or draft.message_id):
        draft = replace(draft, external_id=name)
    with keep_in_quarantine.isolating_item():
        return file_ticket.receive(services, draft, viewer=viewer)


def _source(job: Job) -> str:
    return str(job.params.get("name") or f"job {job.id}")


def _arrival(job: Job, fault: RowFault) -> Arrival:
    return Arrival(
        kind="ticket",
        form=fault.form,
        source=_source(job),
        place="tickets",
        raw=fault.raw.encode("utf-8", errors="replace"),
        row=fault.row,
        user_id=job.user_id,
    )
