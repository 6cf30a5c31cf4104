"""Posts that wait for the model, read later: they came while it could not be asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from app.core import clock
from app.core.db import Transaction
from app.core.durations import HOUR_MS
from app.core.errors import BellwetherError
from app.core.services import Services
from app.intents.store import corrections
from app.market.domain.market import Mention, Post, Span
from app.market.flows import learn_topic
from app.market.flows.count_posts import keep_counts
from app.market.flows.judge_post import Judged, judge, judged_mention, judged_post, predictions_of
from app.market.store import feeds, mentions, posts, topics
from app.model.store import predictions
from app.model.store.predictions import Said

LOG = logging.getLogger(__name__)
LEASE_MS = 30_000
AT_ONCE = 64

Mentions = Mapping[int, tuple[Mention, ...]]
Answer = tuple[Post, Judged, frozenset[int]]
"""A post, what the model says of it, and the topics whose examples mean the same."""


def classify_pending(services: Services, *, limit: int = AT_ONCE) -> int:
    """Read with the model posts that wait for it, oldest first; returns how many were read."""
    now = clock.now_ms()
    waiting = posts.pending(services.db, now=now, limit=limit)
    if not waiting:
        return 0
    _put_off(services, waiting, until=now + LEASE_MS)
    mentioned = mentions.of_posts(services.db, [post.id for post in waiting])
    answers = _answers(services, waiting, mentioned)
    with services.db.transaction() as tx:
        still = {post.id: post.version for post in posts.still_pending(tx, [post.id for post, _, _ in answers])}
        fresh = [answer for answer in answers if still.get(answer[0].id) == answer[0].version]
        with keep_counts(tx, {post.story_id for post, _, _ in fresh if post.story_id is not None}):
            all_said = [
                one for post, judged, _ in fresh for one in _write(tx, post, judged, mentioned.get(post.id, ()))
            ]
            predictions.insert_each(tx, all_said, at=now)
            topics.put_likes(tx, {post.id: alike for post, _, alike in fresh})
    return len(answers)


def _put_off(services: Services, waiting: Sequence[Post], *, until: int) -> None:
    with services.db.transaction() as tx:
        posts.put_off(tx, [post.id for post in waiting], until=until)


def _write(tx: Transaction, post: Post, judged: Judged, found: Sequence[Mention]) -> list[Said]:
    """Put predictions in force; a person's corrections of this text and of its mentions stay."""
    mention_ids = [mention.id for mention in found]
    held = corrections.tasks_in_force(tx, subject_kind="post", subject_ids=[post.id], text=post.text)
    read = judged_post(post, judged.reading, held={task for _, task in held})
    posts.update(tx, read, columns=posts.READING)
    held = corrections.tasks_in_force(tx, subject_kind="mention", subject_ids=mention_ids)
    for mention, prediction in zip(found, judged.towards, strict=True):
        if prediction is not None and (mention.id, prediction.task) not in held:
            mentions.judge(tx, judged_mention(mention, prediction))
    return predictions_of(post.id, mention_ids=mention_ids, judged=judged)


def _answers(services: Services, waiting: Sequence[Post], mentioned: Mentions) -> list[Answer]:
    """The answers of the model to the posts that it could read; one that it stumbles over costs no other."""
    try:
        return _answers_at_once(services, waiting, mentioned)
    except BellwetherError:
        raise
    except Exception:
        if len(waiting) == 1:
            LOG.exception("post %d could not be read", waiting[0].id)
            _put_off(services, waiting, until=clock.now_ms() + HOUR_MS)
            return []
    return [answer for post in waiting for answer in _answers(services, [post], mentioned)]


def _answers_at_once(services: Services, waiting: Sequence[Post], mentioned: Mentions) -> list[Answer]:
    declared = {feed.id: feed.language for feed in feeds.every(services.db) if feed.language}
    languages = {post.text: declared[post.feed_id] for post in waiting if post.feed_id in declared}
    items = [(post.text, tuple(map(_span, mentioned.get(post.id, ())))) for post in waiting]
    judged = judge(services, items, languages=languages)
    alike = learn_topic.topics_of_texts(services, [post.text for post in waiting])
    return list(zip(waiting, judged, alike, strict=True))


def _span(mention: Mention) -> Span:
    return Span(entity_id=mention.entity_id, start=mention.start, end=mention.end, surface=mention.surface)
