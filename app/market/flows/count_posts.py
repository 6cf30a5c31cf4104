"""Hourly counts kept true: whatever changes what posts say is done between two counts of their stories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

from app.core.db import Reads, Transaction
from app.core.services import Services
from app.market.decide.bucketing import difference, merged, sayings, tally
from app.market.decide.topic_words import Matcher
from app.market.domain.series import Bucket, Saying
from app.market.store import buckets, mentions, posts
from app.market.store import topics as own_topics

STORIES_AT_ONCE = 2000


@contextmanager
def counted(tx: Transaction, story_ids: Iterable[int]) -> Iterator[set[int]]:
    """Count stories anew around a change; the body adds the ids of stories that it begins to the set it gets.

    What the stories counted for before is taken back and what they count for now is added, in the transaction of the
    change, so that the buckets always equal a count from nothing.
    """
    touched = set(story_ids)
    before = _sayings(tx, touched)
    yield touched
    _match_topics(tx, touched)
    buckets.add(tx, difference(_sayings(tx, touched), before=before))


def _sayings(db: Reads, story_ids: Iterable[int]) -> list[Saying]:
    told = posts.told(db, story_ids)
    post_ids = [post.id for post in told]
    mentioned, topics = mentions.of_posts(db, post_ids), own_topics.of_posts(db, post_ids)
    return [
        one
        for post in told
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


def recounted(services: Services) -> tuple[Bucket, ...]:
    """All buckets counted from nothing, without writing them: what the kept ones must equal."""
    found = [
        bucket
        for story_ids in _chunks(posts.story_ids(services.db))
        for bucket in tally(_sayings(services.db, story_ids))
    ]
    return merged(found)


def _chunks(story_ids: Iterable[int]) -> Iterator[list[int]]:
    numbered = enumerate(story_ids)
    for _, group in groupby(numbered, key=lambda pair: pair[0] // STORIES_AT_ONCE):
        yield [story_id for _, story_id in group]
