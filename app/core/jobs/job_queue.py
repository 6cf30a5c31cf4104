"""Long work, accepted at once and done later: imports, fetches and indexing, with progress and row errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, get_args

from app.answers.flows import suggest
from app.core import clock
from app.core.errors import BellwetherError, DatabaseBusy, FieldError, InputError
from app.core.events import history
from app.core.jobs import job_rows
from app.core.jobs.job import Job, JobKind
from app.core.jobs.job_progress import Progress
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.desk.flows import run_bulk_job
from app.desk.flows.imports import import_ticket_rows, import_tickets
from app.desk.store import attachments
from app.market.flows import count_topic, fetch_feeds, ingest_posts, quarantine_posts
from app.market.sources import feed_process
from app.market.sources import post_drafts as feed_files
from app.market.store import feeds as feed_rows
from app.people.flows import keep_accounts
from app.people.store import users

LOG = logging.getLogger(__name__)
STALE_MS = 300_000


def enqueue(
    services: Services,
    *,
    kind: JobKind,
    viewer: Viewer,
    params: Mapping[str, Any] | None = None,
    content: bytes | None = None,
) -> Job:
    """Accept work; `content` is a file that it needs, kept until the job is done.

    `import_posts` needs `feed_id` and `format` (csv, jsonl, rss), `import_tickets` a `format` (csv, jsonl, eml),
    `fetch_feed` a `feed_id`, `reindex_articles` nothing.
    """
    if kind not in get_args(JobKind):
        raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
    with services.db.transaction() as tx:
        kept = {**(params or {})}
        if content is not None:
            kept["sha256"] = attachments.put_blob(tx, content)
        job_id = job_rows.insert(tx, kind=kind, params=kept, user_id=viewer.user_id, at=clock.now_ms())
        history.record(tx, actor=history.of(viewer), verb="queued", noun="job", noun_id=job_id, after={"kind": kind})
        return job_rows.get(tx, job_id)


def run_due(services: Services, *, limit: int = 1) -> int:
    """Do queued jobs, and those that a worker began and never finished; how many."""
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
        _DOERS[job.kind](services, job, progress)
    except DatabaseBusy:
        # What was accepted is not given up for that: the job is taken up again, as if its worker had died.
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
            attachments.drop_blob(tx, str(job.params["sha256"]))
        after = {"kind": job.kind, "n_done": progress.n_done, "n_failed": progress.n_failed}
        history.record(tx, actor=history.of(SYSTEM), verb=state, noun="job", noun_id=job.id, after=after)


def _viewer(services: Services, job: Job) -> Viewer:
    return SYSTEM if job.user_id is None else keep_accounts.viewer_for(services, users.get(services.db, job.user_id))


def _content(services: Services, job: Job) -> bytes:
    return attachments.blob(services.db, str(job.params.get("sha256", "")))


def _import_posts(services: Services, job: Job, progress: Progress) -> None:
    readers: Mapping[str, Callable[[bytes], Any]] = {
        "csv": feed_files.from_csv,
        "jsonl": feed_files.from_jsonl,
        "rss": feed_process.drafts_of,
    }
    reader = readers.get(str(job.params.get("format", "jsonl")))
    if reader is None:
        raise InputError("unknown_format", format=job.params.get("format"))
    content = _content(services, job)
    progress.n_total = content.count(b"\n")
    feed, viewer = feed_rows.get(services.db, int(job.params["feed_id"])), _viewer(services, job)
    results = ingest_posts.receive_each(services, feed.id, reader(content), viewer=viewer)
    source = f"{feed.name}: {job.params.get('name') or job.id}"
    for result in quarantine_posts.kept(services, feed, results, source=source, user_id=job.user_id):
        if result.error is None:
            progress.done()
        else:
            progress.failed(result.row, code=result.error, params=result.params)


def _import_tickets(services: Services, job: Job, progress: Progress) -> None:
    content, viewer = _content(services, job), _viewer(services, job)
    import_ticket_rows.work(services, content, job=job, progress=progress, viewer=viewer)


def _reindex(services: Services, job: Job, progress: Progress) -> None:
    for _ in range(suggest.reindex(services)):
        progress.done()


def _fetch_feed(services: Services, job: Job, progress: Progress) -> None:
    for result in fetch_feeds.fetch(services, int(job.params["feed_id"]), viewer=_viewer(services, job)):
        if result.error is None:
            progress.done()
        else:
            progress.failed(result.row, code=result.error, params=result.params)


def _bulk_edit(services: Services, job: Job, progress: Progress) -> None:
    run_bulk_job.work(services, job, progress, viewer=_viewer(services, job))


def _bulk_undo(services: Services, job: Job, progress: Progress) -> None:
    run_bulk_job.work_undo(services, job, progress, viewer=_viewer(services, job))


def _check_file(services: Services, job: Job, progress: Progress) -> None:
    import_tickets.work_check(services, job, progress)


def _import_file(services: Services, job: Job, progress: Progress) -> None:
    import_tickets.work_import(services, job, progress, viewer=_viewer(services, job))


_DOERS: Mapping[JobKind, Callable[[Services, Job, Progress], None]] = {
    "import_posts": _import_posts,
    "import_tickets": _import_tickets,
    "reindex_articles": _reindex,
    "fetch_feed": _fetch_feed,
    "bulk_edit": _bulk_edit,
    "bulk_undo": _bulk_undo,
    "check_file": _check_file,
    "import_file": _import_file,
    "count_topic": count_topic.work,
}
