"""Posts taken in: stored with their mentions and predictions, joined to stories and counted, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from app.core import clock
from app.core.db import Transaction
from app.core.errors import InputError
from app.core.events import history
from app.core.permissions import Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.intents.store import corrections
from app.market.domain.market import Mention, Post, PostDraft, PostResult, PostState
from app.market.flows import prepare_posts
from app.market.flows.count_posts import keep_counts
from app.market.flows.join_story import join_stories
from app.market.flows.judge_post import judged_mention, judged_post, predictions_of
from app.market.flows.keep_feeds import FEED
from app.market.flows.prepare_posts import Chunk, PreparedPost
from app.market.store import feeds, mentions, posts, topics
from app.model.store import predictions
from app.model.store.predictions import Said


def receive(
    services: Services, feed_id: int, drafts: Iterable[PostDraft | RowFault], *, viewer: Viewer
) -> list[PostResult]:
    """Take posts of a feed in; see `receive_each`."""
    return list(receive_each(services, feed_id, drafts, viewer=viewer))


def receive_each(
    services: Services, feed_id: int, drafts: Iterable[PostDraft | RowFault], *, viewer: Viewer
) -> Iterator[PostResult]:
    """Take posts in, a chunk at a time, and yield what became of each row, in their order.

    The same external id again is an update when it says something else. What the model cannot read now is stored and
    read later. Times after the present are taken for the present. Raises NotFound for a feed out of sight.
    """
    feed = FEED.get(services.db, feed_id, viewer=viewer)
    for chunk in prepare_posts.prepared_chunks(services, feed, drafts):
        yield from _stored(services, feed_id, chunk, viewer=viewer)
        if chunk.error is not None:
            raise chunk.error


def _stored(services: Services, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> list[PostResult]:
    try:
        stored = _store_chunk(services, feed_id, chunk, viewer=viewer)
    except InputError:
        stored = _store_one_by_one(services, feed_id, chunk, viewer=viewer)
    of_id = {result.external_id: result for result in stored.values()}
    repeated = {number: _repeated(of_id[external_id], row=number) for number, external_id in chunk.repeated.items()}
    results = {**chunk.faults, **repeated, **stored}
    return [results[number] for number in chunk.numbers]


def _repeated(latest: PostResult, *, row: int) -> PostResult:
    return replace(latest, row=row) if latest.state == "failed" else replace(latest, state="unchanged", row=row)


def _store_chunk(services: Services, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> dict[int, PostResult]:
    with keep_in_quarantine.isolating_item(), services.db.transaction() as tx:
        return _store(tx, feed_id, chunk.posts, viewer=viewer)


def _store_one_by_one(services: Services, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> dict[int, PostResult]:
    """Store each row of a chunk in a transaction of its own, so that one which cannot be stored costs no other."""
    stored: dict[int, PostResult] = {}
    for one in chunk.posts:
        try:
            stored |= _store_chunk(services, feed_id, replace(chunk, posts=[one]), viewer=viewer)
        except InputError as error:
            stored[one.number] = prepare_posts.failed(one.draft, number=one.number, error=error)
    return stored


def _store(tx: Transaction, feed_id: int, prepared: Sequence[PreparedPost], *, viewer: Viewer) -> dict[int, PostResult]:
    """Store posts, each in its story, and count them; returns what became of each row, by its number."""
    known = posts.of_feed(tx, feed_id, external_ids=[one.external_id for one in prepared])
    news = [one for one in prepared if one.is_news(known.get(one.external_id))]
    before = [known[one.external_id].story_id for one in news if one.external_id in known]
    story_ids = join_stories(tx, [(one.title, one.body, one.occurred_at) for one in news])
    with keep_counts(tx, {*story_ids, *(story_id for story_id in before if story_id is not None)}):
        stored = [
            _post(tx, one, was=known.get(one.external_id), feed_id=feed_id, story_id=story_id)
            for one, story_id in zip(news, story_ids, strict=True)
        ]
        stored = _write_posts(tx, stored, known=known, viewer=viewer)
        _write_mentions(tx, news, stored)
        alike = {post.external_id: (post.id, one.topic_ids) for one, post in zip(news, stored, strict=True)}
        topics.put_likes(tx, {post_id: ids for name, (post_id, ids) in alike.items() if ids or name in known})
    created = [post.id for post in stored if post.external_id not in known]
    if created:
        _record(tx, feed_id, prepared, post_ids=created, viewer=viewer)
    stored_by_id = {post.external_id: post for post in stored}
    return {one.number: _result(one, known=known, stored=stored_by_id) for one in prepared}


def _result(one: PreparedPost, *, known: Mapping[str, Post], stored: Mapping[str, Post]) -> PostResult:
    name = one.external_id
    state: PostState = "created" if name not in known else "updated" if name in stored else "unchanged"
    post = stored[name] if name in stored else known[name]
    return PostResult(external_id=name, id=post.id, state=state, row=one.number)


def _post(tx: Transaction, one: PreparedPost, *, was: Post | None, feed_id: int, story_id: int) -> Post:
    """Return the post as it is to be stored, without an id where it is new; a person's labels of this text stay."""
    draft, now = one.draft, clock.now_ms()
    base = was or Post(
        id=0,
        feed_id=feed_id,
        external_id=draft.external_id,
        title="",
        body="",
        text="",
        occurred_at=one.occurred_at,
        received_at=now,
    )
    post = replace(
        base,
        title=one.title,
        body=one.body,
        text=one.text,
        occurred_at=base.occurred_at if draft.occurred_at is None else one.occurred_at,
        precision=draft.precision,
        url=draft.url,
        author=draft.author,
        story_id=story_id,
        pending_at=now,
    )
    if one.judged is None:
        return post
    held = corrections.tasks_in_force(tx, subject_kind="post", subject_ids=[post.id], text=post.text) if was else ()
    return judged_post(post, one.judged.reading, held={task for _, task in held})


def _write_posts(tx: Transaction, several: Sequence[Post], *, known: Mapping[str, Post], viewer: Viewer) -> list[Post]:
    """Add posts that are new and write those that are known already; returns all with their ids, in order."""
    new_ids = iter(posts.insert_each(tx, [post for post in several if post.external_id not in known]))
    for post in several:
        if post.external_id in known:
            was = known[post.external_id]
            mentions.delete_of_post(tx, post.id)
            posts.update(tx, post, columns=(*posts.WORDING, *posts.READING))
            history.record(
                tx,
                actor=history.of(viewer),
                verb="updated",
                noun="post",
                noun_id=post.id,
                before={"title": was.title, "body": was.body},
                after={"title": post.title, "body": post.body},
            )
    return [post if post.external_id in known else replace(post, id=next(new_ids)) for post in several]


def _write_mentions(tx: Transaction, news: Sequence[PreparedPost], stored: Sequence[Post]) -> None:
    """Add the mentions of posts, and keep what the model said of posts and mentions."""
    pairs = list(zip(news, stored, strict=True))
    mention_ids = iter(mentions.insert_each(tx, [mention for one, post in pairs for mention in _mentions(one, post)]))
    all_said: list[Said] = []
    for one, post in pairs:
        ids = list(islice(mention_ids, len(one.spans)))
        if one.judged is not None:
            all_said += predictions_of(post.id, mention_ids=ids, judged=one.judged)
    predictions.insert_each(tx, all_said, at=clock.now_ms())


def _mentions(one: PreparedPost, post: Post) -> list[Mention]:
    towards = one.judged.towards if one.judged else [None] * len(one.spans)
    return [
        judged_mention(Mention(id=0, post_id=post.id, occurred_at=post.occurred_at, **vars(span)), prediction)
        for span, prediction in zip(one.spans, towards, strict=True)
    ]


def _record(
    tx: Transaction, feed_id: int, prepared: Sequence[PreparedPost], *, post_ids: Sequence[int], viewer: Viewer
) -> None:
    """Record one event for the posts that a chunk brought, and what the feed brought last."""
    after = {"n_created": len(post_ids), "post_ids": post_ids}
    history.record(tx, actor=history.of(viewer), verb="posts_received", noun="feed", noun_id=feed_id, after=after)
    feeds.note_posts(
        tx,
        feed_id,
        last_post_at=max(one.occurred_at for one in prepared),
        at=clock.now_ms(),
        is_daily=all(one.draft.precision == "day" and one.draft.occurred_at is not None for one in prepared),
    )
