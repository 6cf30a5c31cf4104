"""Jobs of the desk: files imported, actions on many tickets."""

from __future__ import annotations

from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.jobs.job_queue import content_of, viewer_of
from app.core.services import Services
from app.desk.flows import run_bulk_job
from app.desk.flows.imports import import_ticket_rows, import_tickets


def import_rows(services: Services, job: Job, progress: Progress) -> None:
    """File the tickets of a file, row by row."""
    viewer = viewer_of(services, job)
    import_ticket_rows.work(services, content_of(services, job), job=job, progress=progress, viewer=viewer)


def import_export(services: Services, job: Job, progress: Progress) -> None:
    """File the tickets of another desk's export."""
    import_tickets.work_import(services, job, progress, viewer=viewer_of(services, job))


def edit_many(services: Services, job: Job, progress: Progress) -> None:
    """Do one action on all tickets of a filter."""
    run_bulk_job.work(services, job, progress, viewer=viewer_of(services, job))


def undo_many(services: Services, job: Job, progress: Progress) -> None:
    """Take one action on many tickets back."""
    run_bulk_job.work_undo(services, job, progress, viewer=viewer_of(services, job))
