"""The queue of jobs: imports, fetches and indexing are accepted at once and done later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, get_args

from app.core import clock, viewers
from app.core.errors import BellwetherError, DatabaseBusy, FieldError, InputError
from app.core.events import history
from app.core.jobs import job_rows
from app.core.jobs.job import Job, JobKind
from app.core.jobs.job_progress import Progress
from app.core.permissions import SYSTEM, Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.core.storage import blobs

LOG = logging.getLogger(__name__)
STALE_MS = 300_000

HANDLERS: Registry[Callable[[Services, Job, Progress], None]] = Registry()
"""The function that does the jobs of each kind."""


def enqueue(
    services: Services,
    *,
    kind: JobKind,
    viewer: Viewer,
    params: Mapping[str, Any] | None = None,
    content: bytes | None = None,
) -> Job:
    """Queue a job; `content` is its file, kept until the job is done.

    `import_posts` needs `feed_id` and `format` (csv, jsonl, rss), `import_tickets` a `format` (csv, jsonl, eml),
    `fetch_feed` a `feed_id`, `reindex_articles` nothing.
    """
    if kind not in get_args(JobKind):
        raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
    with services.db.transaction() as tx:
        kept = {**(params or {})}
        if content is not None:
            kept["sha256"] = blobs.put(tx, content)
        job_id = job_rows.insert(tx, kind=kind, params=kept, user_id=viewer.user_id, at=clock.now_ms())
        history.record(tx, actor=history.of(viewer), verb="queued", noun="job", noun_id=job_id, after={"kind": kind})
        return job_rows.get(tx, job_id)


def run_due(services: Services, *, limit: int = 1) -> int:
    """Do queued jobs, and those that a worker began and never finished; returns their number."""
    n_run = 0
    while n_run < limit and job_rows.is_any_due(services.db, stale_at=clock.now_ms() - STALE_MS):
        now = clock.now_ms()
        with services.db.transaction() as tx:
            job = job_rows.claim(tx, now=now, stale_at=now - STALE_MS)
        if job is None:
            break
        _run(services, job)
        n_run += 1
    return n_run


def _run(services: Services, job: Job) -> None:
    progress = Progress(services=services, job_id=job.id)
    state = "completed"
    try:
        HANDLERS[job.kind](services, job, progress)
    except DatabaseBusy:
        # A busy database fails no job: it is taken up again, as if its worker had died.
        LOG.info("job %d waits for the database", job.id)
        return
    except BellwetherError as error:
        progress.failed(0, code=error.code, params=error.params)
        state = "failed"
    except Exception:
        LOG.exception("job %d failed", job.id)
        progress.failed(0, code="internal", params={})
        state = "failed"
    progress.write()
    with services.db.transaction() as tx:
        job_rows.finish(tx, job.id, state=state, at=clock.now_ms())
        if "sha256" in job.params:
            blobs.drop(tx, str(job.params["sha256"]))
        after = {"kind": job.kind, "n_done": progress.n_done, "n_failed": progress.n_failed}
        history.record(tx, actor=history.of(SYSTEM), verb=state, noun="job", noun_id=job.id, after=after)


def viewer_of(services: Services, job: Job) -> Viewer:
    """Return the viewer for a job: the person who asked for it, with their present permissions."""
    return SYSTEM if job.user_id is None else viewers.of_user(services, job.user_id)


def content_of(services: Services, job: Job) -> bytes:
    """Return the file of a job; raises NotFound for a job without one."""
    return blobs.get(services.db, str(job.params.get("sha256", "")))
