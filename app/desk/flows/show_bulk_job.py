"""A bulk job with what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.jobs.job import Job
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.flows import run_bulk_job
from app.desk.store import bulk_items


@dataclass(frozen=True, kw_only=True)
class BulkJobView:
    """A bulk job; `n_changed` tickets were really changed, `undone_by` is the job that takes it back."""

    job: Job
    is_over: bool
    n_changed: int
    undone_by: int | None


def show(services: Services, job_id: int, *, viewer: Viewer) -> BulkJobView:
    """Return a bulk job of the viewer's own, or any for who may do everything; raises NotFound."""
    job = run_bulk_job.show(services, job_id, viewer=viewer)
    is_over = job.state in ("completed", "failed")
    return BulkJobView(
        job=job,
        is_over=is_over,
        n_changed=bulk_items.n_changed(services.db, job_id) if is_over else 0,
        undone_by=run_bulk_job.undone_by(services, job_id),
    )
