"""Jobs of the market: files of posts imported, feeds fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.core.errors import InputError
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.jobs.job_queue import content_of, viewer_of
from app.core.services import Services
from app.market.flows import fetch_feeds, ingest_posts, quarantine_posts
from app.market.sources import feed_process, post_drafts
from app.market.store import feeds

READERS: Mapping[str, Callable[[bytes], Any]] = {
    "csv": post_drafts.from_csv,
    "jsonl": post_drafts.from_jsonl,
    "rss": feed_process.drafts_of,
}


def import_posts(services: Services, job: Job, progress: Progress) -> None:
    """Store the posts of a file; raises InputError `unknown_format`."""
    reader = READERS.get(str(job.params.get("format", "jsonl")))
    if reader is None:
        raise InputError("unknown_format", format=job.params.get("format"))
    content = content_of(services, job)
    progress.n_total = content.count(b"\n")
    feed = feeds.get(services.db, int(job.params["feed_id"]))
    results = ingest_posts.receive_each(services, feed.id, reader(content), viewer=viewer_of(services, job))
    source = f"{feed.name}: {job.params.get('name') or job.id}"
    for result in quarantine_posts.kept(services, feed, results, source=source, user_id=job.user_id):
        _count(result, progress)


def fetch_feed(services: Services, job: Job, progress: Progress) -> None:
    """Fetch a feed now."""
    for result in fetch_feeds.fetch(services, int(job.params["feed_id"]), viewer=viewer_of(services, job)):
        _count(result, progress)


def _count(result: ingest_posts.PostResult, progress: Progress) -> None:
    if result.error is None:
        progress.done()
    else:
        progress.failed(result.row, code=result.error, params=result.params)
