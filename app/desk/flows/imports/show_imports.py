"""Exports of other desks that were handed in, each with its jobs."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.jobs import job_rows
from app.core.jobs.job import Job
from app.core.services import Services
from app.desk.domain.import_file import TicketFile
from app.desk.store import import_files


@dataclass(frozen=True, kw_only=True)
class ImportView:
    """A file with the job that tries it and the one that imports it."""

    file: TicketFile
    check: Job | None
    job: Job | None


def latest(services: Services, *, limit: int) -> list[ImportView]:
    """Return the files handed in last, newest first."""
    return [_view(services, file) for file in import_files.latest(services.db, limit=limit)]


def show(services: Services, file_id: int) -> ImportView:
    """Return a file; raises NotFound."""
    return _view(services, import_files.get(services.db, file_id))


def _view(services: Services, file: TicketFile) -> ImportView:
    return ImportView(file=file, check=_job(services, file.check_job_id), job=_job(services, file.import_job_id))


def _job(services: Services, job_id: int | None) -> Job | None:
    return None if job_id is None else job_rows.get(services.db, job_id)
