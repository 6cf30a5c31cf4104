"""Counting a topic over what was there before it was defined, changed or given up."""

from __future__ import annotations

from app.core import clock
from app.core.durations import DAY_MS
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.services import Services
from app.market.flows import learn_topic
from app.market.flows.count_posts import counted
from app.market.store import topics

BACK_MS = 28 * DAY_MS
STORIES_AT_ONCE = 100


def work(services: Services, job: Job, progress: Progress) -> None:
    """Count every story of the last 28 days, and all that had the topic, anew; doing it twice changes nothing."""
    topic_id, beyond = int(job.params["topic_id"]), 0
    since = clock.now_ms() - BACK_MS
    while True:
        story_ids = topics.stories_to_count(services.db, topic_id, since=since, beyond=beyond, limit=STORIES_AT_ONCE)
        if not story_ids:
            return
        told = topics.bodies(services.db, story_ids)
        alike = dict(zip(told, learn_topic.alike(services, list(told.values())), strict=True))
        with services.db.transaction() as tx, counted(tx, story_ids):
            topics.put_likes(tx, alike)  # topics by words are found where stories are counted
        beyond = story_ids[-1]
        for _ in story_ids:
            progress.done()
