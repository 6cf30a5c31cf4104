"""Jobs of the market: files of posts imported, feeds fetched, topics counted over what was there before."""

from __future__ import annotations

from app.core import clock
from app.core.durations import DAY_MS
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.jobs.job_queue import content_of, viewer_of
from app.core.services import Services
from app.market.domain.market import PostResult
from app.market.flows import fetch_feeds, ingest_posts, learn_topic, quarantine_posts
from app.market.flows.count_posts import keep_counts
from app.market.flows.read_posts import posts_from_file
from app.market.store import feeds, topics

COUNTED_BACK_MS = 28 * DAY_MS
STORIES_AT_ONCE = 100


def import_posts(services: Services, job: Job, progress: Progress) -> None:
    """Store the posts of a file; raises InputError `unknown_format`."""
    content = content_of(services, job)
    drafts = posts_from_file(content, form=str(job.params.get("format", "jsonl")))
    progress.n_total = content.count(b"\n")
    feed = feeds.get(services.db, int(job.params["feed_id"]))
    results = ingest_posts.receive_each(services, feed.id, drafts, viewer=viewer_of(services, job))
    source = f"{feed.name}: {job.params.get('name') or job.id}"
    for result in quarantine_posts.keep_failed(services, feed, results, source=source, user_id=job.user_id):
        _report(result, progress)


def fetch_feed(services: Services, job: Job, progress: Progress) -> None:
    """Fetch a feed now."""
    for result in fetch_feeds.fetch(services, int(job.params["feed_id"]), viewer=viewer_of(services, job)):
        _report(result, progress)


def count_topic(services: Services, job: Job, progress: Progress) -> None:
    """Count every story of the last 28 days, and all that had the topic, anew; doing it twice changes nothing."""
    topic_id, beyond = int(job.params["topic_id"]), 0
    _learn_examples(services, topic_id)
    since = clock.now_ms() - COUNTED_BACK_MS
    while story_ids := topics.stories_to_count(
        services.db, topic_id, since=since, beyond=beyond, limit=STORIES_AT_ONCE
    ):
        texts = topics.bodies(services.db, story_ids)
        alike = dict(zip(texts, learn_topic.topics_of_texts(services, list(texts.values())), strict=True))
        with services.db.transaction() as tx, keep_counts(tx, story_ids):
            topics.put_likes(tx, alike)  # topics by words are found where stories are counted
        beyond = story_ids[-1]
        for _ in story_ids:
            progress.done()


def _learn_examples(services: Services, topic_id: int) -> None:
    """Learn what the examples of a topic mean where an undo brought them back."""
    topic = topics.get(services.db, topic_id)
    if topic.is_active and topic.examples and topic.likeness is None:
        likeness = learn_topic.learn(services, topic)
        with services.db.transaction() as tx:
            topics.put_likeness(tx, topic, likeness=likeness)


def _report(result: PostResult, progress: Progress) -> None:
    if result.error is None:
        progress.done()
    else:
        progress.failed(result.row, code=result.error, params=result.params)
