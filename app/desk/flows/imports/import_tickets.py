"""Importing the export of another desk: it is uploaded, its columns are mapped, it is tried, then it is imported.

What was closed there is kept as it was: nobody is told, no clock runs, the model does not read it. What is open there
comes in as open, its SLA clocks begin now, and the model reads it. A ticket that is here already is left alone, so a
file may be read twice, and a job whose worker was killed begins again and does nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.durations import DAY_MS
from app.core.errors import Conflict, InputError, NotFound
from app.core.events import history
from app.core.jobs import job_rows
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.permissions import Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival, Quarantined
from app.core.services import Services
from app.core.storage import blobs
from app.core.text.file_rows import RowFault, csv_rows, json_rows, row_alone
from app.desk.domain.import_file import MovedTicket, Source, TicketFile
from app.desk.flows import keep_queues
from app.desk.flows.imports.import_ticket import Desk, put_in
from app.desk.sources import import_mapping, import_records
from app.desk.store import import_files, queues, tickets

KEPT_MS = 7 * DAY_MS
N_SAMPLES, LONGEST_SAMPLE, MOST_COLUMNS = 3, 120, 300
SMALLEST, LARGEST, GOAL_MS = 5, 100, 25


@dataclass(frozen=True, kw_only=True)
class _Record:
    """A record of another desk: its columns, and the ticket that they make."""

    values: Mapping[str, Any]
    ticket: MovedTicket


_Parsed = tuple[int, _Record | RowFault]


def add(services: Services, *, name: str, content: bytes, viewer: Viewer) -> TicketFile:
    """Take an export: whose it is and what its columns mean is guessed, and tried; raises InputError."""
    form = import_records.form_of(name, content)
    with keep_in_quarantine.isolating_parser():
        rows = list(islice(import_records.records(content, form=form), import_records.LOOKED_AT))
    names = import_records.columns(rows)[:MOST_COLUMNS]
    if not names:
        raise InputError("no_records")
    source = import_mapping.source_of(names)
    with services.db.transaction() as tx:
        new = TicketFile(
            id=0,
            name=name[:120],
            form=form,
            source=source,
            sha256=blobs.put(tx, content),
            mapping=import_mapping.suggested(names, source=source),
            columns=names,
            sample=tuple(_shortened(row[1]) for row in rows if not isinstance(row, RowFault))[:N_SAMPLES],
            user_id=viewer.user_id,
            created_at=clock.now_ms(),
        )
        file = import_files.insert(tx, new)
        after = {"name": file.name, "source": source}
        history.record(tx, actor=history.of(viewer), verb="created", noun="ticket_file", noun_id=file.id, after=after)
        return _try(tx, file, viewer=viewer)


def latest(services: Services, *, limit: int) -> tuple[TicketFile, ...]:
    """The files handed in last, newest first."""
    return import_files.latest(services.db, limit=limit)


def get(services: Services, file_id: int) -> TicketFile:
    """The file with this id; raises NotFound."""
    return import_files.get(services.db, file_id)


def forget_left_over(services: Services) -> int:
    """Remove files that nobody imported within a week; returns their number."""
    left = import_files.left_over(services.db, before=clock.now_ms() - KEPT_MS)
    for file_id in left:
        with services.db.transaction() as tx:
            import_files.forget(tx, file_id)
    return len(left)


def _shortened(record: Mapping[str, Any]) -> dict[str, str]:
    shown = {key: value for key, value in record.items() if value not in (None, "", [])}
    return {key: _in_a_line(value)[:LONGEST_SAMPLE] for key, value in islice(shown.items(), MOST_COLUMNS)}


def _in_a_line(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    is_plain = not any(isinstance(one, list | dict) for one in value)
    return ", ".join(map(str, value)) if is_plain else json.dumps(value, ensure_ascii=False)


def choose(
    services: Services,
    file_id: int,
    *,
    viewer: Viewer,
    mapping: Mapping[str, str],
    source: Source,
    queue_id: int | None = None,
) -> TicketFile:
    """Say what the columns mean and where tickets of unknown queues go; the file is tried again.

    Raises NotFound, InputError for a column that is not there, Conflict once the file was imported.
    """
    if source not in import_mapping.SOURCES:
        raise InputError("unknown_value", value=source)
    with services.db.transaction() as tx:
        file = _open_file(tx, file_id)
        if queue_id is not None:
            queues.get(tx, queue_id)
        wanted = import_mapping.checked(mapping, names=file.columns)
        return _try(tx, replace(file, mapping=wanted, source=source, queue_id=queue_id), viewer=viewer)


def begin(services: Services, file_id: int, *, viewer: Viewer) -> TicketFile:
    """Import a file; raises NotFound, and Conflict `already_imported` once that was done."""
    with services.db.transaction() as tx:
        file = _open_file(tx, file_id)
        import_mapping.checked(file.mapping, names=file.columns)
        job_id = _queue(tx, "import_file", file_id=file_id, viewer=viewer)
        return import_files.write(tx, replace(file, import_job_id=job_id))


def _open_file(db: Reads, file_id: int) -> TicketFile:
    """A file that may still be imported: it never was, or that broke off."""
    file = import_files.get(db, file_id)
    earlier = None if file.import_job_id is None else job_rows.get(db, file.import_job_id)
    if file.sha256 is None or (earlier is not None and earlier.state != "failed"):
        raise Conflict("already_imported", id=file_id)
    return file


def _try(tx: Transaction, file: TicketFile, *, viewer: Viewer) -> TicketFile:
    job_id = _queue(tx, "check_file", file_id=file.id, viewer=viewer)
    return import_files.write(tx, replace(file, check_job_id=job_id))


def _queue(tx: Transaction, kind: str, *, file_id: int, viewer: Viewer) -> int:
    job_id = job_rows.insert(tx, kind=kind, params={"file_id": file_id}, user_id=viewer.user_id, at=clock.now_ms())
    after = {"kind": kind, "file_id": file_id}
    history.record(tx, actor=history.of(viewer), verb="queued", noun="job", noun_id=job_id, after=after)
    return job_id


def work_check(services: Services, job: Job, progress: Progress) -> None:
    """Read a whole file and count what would come in, without doing anything."""
    file = import_files.get(services.db, int(job.params["file_id"]))
    seen: set[str] = set()
    for number, found in _parse(services, file, progress):
        if isinstance(found, RowFault):
            progress.failed(number, code=found.code, params=found.params)
        elif found.ticket.external_id in seen or import_files.known(services.db, found.ticket.external_id):
            progress.known()
        else:
            progress.done()
            seen.add(found.ticket.external_id)


def work_import(services: Services, job: Job, progress: Progress, *, viewer: Viewer) -> None:
    """Take a file's tickets in, a few in each short transaction; the file is forgotten afterwards."""
    file = import_files.get(services.db, int(job.params["file_id"]))
    rows, size = _parse(services, file, progress), SMALLEST
    with services.db.transaction() as tx:
        place = _place(tx, services, file=file, viewer=viewer)
    while batch := list(islice(rows, size)):
        began = clock.now_ms()
        with progress.reverting_on_error(), services.db.transaction() as tx:
            for number, found in batch:
                fault = _take(tx, number, found, place=place, progress=progress)
                if fault is not None:
                    _hold(tx, fault, place=place, progress=progress)
            progress.keep(tx)
        took = max(clock.now_ms() - began, 1)
        size = min(max(SMALLEST, min(size * 2, size * GOAL_MS // took)), LARGEST)
    with services.db.transaction() as tx:
        import_files.forget(tx, file.id)


def _take(
    tx: Transaction, number: int, found: _Record | RowFault, *, place: Desk, progress: Progress
) -> RowFault | None:
    """Put a record in; why it cannot be, or None."""
    if isinstance(found, RowFault):
        return found
    try:
        with tx.attempt(), keep_in_quarantine.isolating_item():
            is_new = put_in(tx, found.ticket, place=place)
    except InputError as error:
        code, params = keep_in_quarantine.reason(error)
        return RowFault(row=number, code=code, params=params, raw=row_alone(found.values, form="jsonl"))
    if is_new:
        progress.n_done += 1
    else:
        progress.n_known += 1
    return None


def _hold(tx: Transaction, fault: RowFault, *, place: Desk, progress: Progress) -> None:
    """Count a record that could not be put in; the first ones go into quarantine."""
    progress.note(fault.row, code=fault.code, params=fault.params)
    if progress.n_failed > keep_in_quarantine.MOST_OF_A_FILE:
        return
    arrival = Arrival(
        kind="record",
        form=fault.form,
        source=place.file.name,
        place=f"file:{place.file.id}",
        raw=fault.raw.encode("utf-8", errors="replace"),
        ticket_file_id=place.file.id,
        row=fault.row,
        user_id=place.file.user_id,
    )
    error = keep_in_quarantine.row_error(fault.code, fault.params)
    keep_in_quarantine.put_one(tx, arrival, error=error, services=progress.services)


def file_record(services: Services, item: Quarantined, raw: bytes, *, viewer: Viewer) -> int:
    """File a record that is in quarantine; the id of its ticket. Raises InputError, NotFound for its file."""
    file = import_files.get(services.db, item.ticket_file_id or 0)
    row = next(csv_rows(raw, known=None) if item.form == "csv" else json_rows(raw), None)
    if row is None or isinstance(row, RowFault):
        raise InputError("empty_file") if row is None else keep_in_quarantine.row_error(row.code, row.params)
    found = _read(row[1], file=file)
    with keep_in_quarantine.isolating_item(), services.db.transaction() as tx:
        place = _place(tx, services, file=file, viewer=viewer)
        put_in(tx, found.ticket, place=place)
        made = tickets.find_by_external_id(tx, found.ticket.external_id)
    if made is None:
        raise NotFound(noun="ticket", id=found.ticket.external_id)
    return made.id


def _place(tx: Transaction, services: Services, *, file: TicketFile, viewer: Viewer) -> Desk:
    default = file.queue_id or keep_queues.first_queue(tx, services).id
    return Desk.of(tx, default=default, file=file, viewer=viewer)


def _parse(services: Services, file: TicketFile, progress: Progress) -> Iterator[_Parsed]:
    content = blobs.get(services.db, file.sha256 or "")
    progress.n_total = sum(1 for _ in import_records.records(content, form=file.form))
    progress.write()
    for row in import_records.records(content, form=file.form):
        if isinstance(row, RowFault):
            yield row.row, row
            continue
        number, values = row
        try:
            yield number, _read(values, file=file)
        except InputError as error:
            code, params = keep_in_quarantine.reason(error)
            yield number, RowFault(row=number, code=code, params=params, raw=row_alone(values, form="jsonl"))


def _read(values: Mapping[str, Any], *, file: TicketFile) -> _Record:
    with keep_in_quarantine.isolating_parser():
        return _Record(values=values, ticket=import_mapping.ticket_of(values, mapping=file.mapping, source=file.source))
