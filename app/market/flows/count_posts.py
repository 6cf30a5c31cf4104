"""Hourly counts kept true: whatever changes what posts say is done between two counts of their stories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from app.core.db import Reads, Transaction
from app.market.decide.bucketing import difference, merged, sayings, tally
from app.market.decide.topic_words import Matcher
from app.market.domain.series import Bucket, Saying
from app.market.store import buckets, mentions, stories
from app.market.store import topics as own_topics

STORIES_AT_ONCE = 2000


@contextmanager
def keep_counts(tx: Transaction, story_ids: Iterable[int]) -> Iterator[None]:
    """Count stories anew around a change of what their posts say, so that buckets always equal a count from nothing.

    What the stories counted for before is taken back and what they count for now is added, in the transaction of the
    change.
    """
    touched = set(story_ids)
    before = _sayings(tx, touched)
    yield
    _match_topics(tx, touched)
    buckets.add(tx, difference(_sayings(tx, touched), before=before))


def _sayings(db: Reads, story_ids: Iterable[int]) -> list[Saying]:
    found = stories.counted_posts(db, story_ids)
    post_ids = [post.id for post in found]
    if not post_ids:
        return []
    mentioned, topics = mentions.of_posts(db, post_ids), own_topics.of_posts(db, post_ids)
    return [
        one
        for post in found
        for one in sayings(post, mentions=mentioned.get(post.id, ()), topics=topics.get(post.id, ()))
    ]


def _match_topics(tx: Transaction, story_ids: Iterable[int]) -> None:
    """Find the analysts' own topics of every post of these stories anew, so that no way in can miss them."""
    topics = own_topics.every(tx)
    if not topics and not own_topics.is_any(tx):
        return
    matcher = Matcher(topics)
    texts = own_topics.texts(tx, story_ids)
    alike = own_topics.likes(tx, texts)
    own_topics.put(tx, {post_id: matcher.find(text, alike=alike.get(post_id, ())) for post_id, text in texts.items()})


def count_anew(db: Reads) -> tuple[Bucket, ...]:
    """Return all buckets counted from nothing, without writing them: what the kept ones must equal."""
    ids = iter(stories.with_posts(db))
    found: list[Bucket] = []
    while some := list(islice(ids, STORIES_AT_ONCE)):
        found += tally(_sayings(db, some))
    return merged(found)
