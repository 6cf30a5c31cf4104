"""Posts in: entities, topic and sentiment found, stories joined, hourly counts kept, a chunk at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from typing import Any

from app.core import clock
from app.core.db import Transaction
from app.core.durations import HOUR_MS
from app.core.errors import BellwetherError, InputError
from app.core.events import history
from app.core.permissions import Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.market.domain.market import Post, PostDraft, Span
from app.market.flows import join_story, learn_topic, read_ahead
from app.market.flows.count_posts import counted, rebuild_series, recounted
from app.market.flows.judge_post import Judged, columns, judge, said, towards, write
from app.market.flows.read_ahead import CHUNK, Chunk, PostResult, Row, State, failed
from app.market.store import feeds, mentions, posts
from app.market.store import topics as own_topics
from app.market.store.mentions import Placed
from app.model.store import predictions
from app.model.store.predictions import Said

__all__ = ["PostResult", "classify_pending", "rebuild_series", "receive", "receive_each", "recounted"]

LOG = logging.getLogger(__name__)
LEASE_MS = 30_000


def receive(
    services: Services, feed_id: int, drafts: Iterable[PostDraft | RowFault], *, viewer: Viewer
) -> list[PostResult]:
    """Take posts of a feed in; see `receive_each`."""
    return list(receive_each(services, feed_id, drafts, viewer=viewer))


def receive_each(
    services: Services, feed_id: int, drafts: Iterable[PostDraft | RowFault], *, viewer: Viewer
) -> Iterator[PostResult]:
    """Take posts in, a chunk at a time, and say of each row what became of it, in their order.

    The same external id again is an update when it says something else. What the model cannot read now is stored and
    read later. Times after the present are taken for the present. Raises NotFound for a feed out of sight.
    """
    feed = feeds.get(services.db, feed_id, viewer=viewer)
    for chunk in read_ahead.chunks(services, feed, drafts):
        yield from _stored(services, feed_id, chunk, viewer=viewer)
        if chunk.error is not None:
            raise chunk.error


def _stored(services: Services, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> list[PostResult]:
    try:
        with keep_in_quarantine.isolating_item():
            stored = _stored_together(services, feed_id, chunk, viewer=viewer)
    except InputError:
        stored = _stored_apart(services, feed_id, chunk, viewer=viewer)
    of_id = {result.external_id: result for result in stored.values()}
    repeated = {number: _repeated(of_id[external_id], row=number) for number, external_id in chunk.repeated.items()}
    results = {**chunk.faults, **repeated, **stored}
    return [results[number] for number in chunk.numbers]


def _repeated(latest: PostResult, *, row: int) -> PostResult:
    return replace(latest, row=row) if latest.state == "failed" else replace(latest, state="unchanged", row=row)


def _stored_together(services: Services, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> dict[int, PostResult]:
    with services.db.transaction() as tx:
        return _store(tx, feed_id, chunk, viewer=viewer)


def _stored_apart(services: Services, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> dict[int, PostResult]:
    """Each row of a chunk in a transaction of its own, so that one which cannot be stored costs no other."""
    stored: dict[int, PostResult] = {}
    for row in chunk.rows:
        try:
            with keep_in_quarantine.isolating_item():
                stored |= _stored_together(services, feed_id, replace(chunk, rows=[row]), viewer=viewer)
        except InputError as error:
            stored[row.number] = failed(row.draft, number=row.number, error=error)
    return stored


def _store(tx: Transaction, feed_id: int, chunk: Chunk, *, viewer: Viewer) -> dict[int, PostResult]:
    known = posts.of_feed(tx, feed_id, external_ids=[row.draft.external_id for row in chunk.rows])
    changed = [row for row in chunk.rows if not _is_known(row, known)]
    results = {
        row.number: _result(row, known[row.draft.external_id].id, state="unchanged")
        for row in chunk.rows
        if row.draft.external_id in known
    }
    chosen = join_story.chosen(tx, [(row.title, row.body, row.occurred_at) for row in changed])
    before = {known[row.draft.external_id].story_id for row in changed if row.draft.external_id in known}
    touched = {*chosen, *before} - {None}
    with counted(tx, [story_id for story_id in touched if story_id is not None]):
        all_said: list[Said] = []
        told = zip(changed, chosen, strict=True)
        for is_new, some in groupby(told, key=lambda one: one[0].draft.external_id not in known):
            if is_new:
                added, said_of_them = _add(tx, feed_id, list(some), judged=chunk.judged)
                results |= added
                all_said += said_of_them
                continue
            for row, story_id in some:
                was, judged = known[row.draft.external_id], chunk.judged.get(row.number)
                all_said += _change(tx, was, row=row, story_id=story_id, judged=judged, viewer=viewer)
                results[row.number] = _result(row, was.id, state="updated")
        own_topics.put_likes(tx, _alike(chunk, results=results))
        predictions.insert_each(tx, all_said, at=clock.now_ms())
    _record(tx, feed_id, results.values(), rows=chunk.rows, viewer=viewer)
    return results


def _alike(chunk: Chunk, *, results: Mapping[int, PostResult]) -> dict[int, frozenset[int]]:
    """The topics by example of what a chunk brought, by post."""
    changed = {number: one.id for number, one in results.items() if one.state != "unchanged" and one.id is not None}
    return {post_id: chunk.alike.get(number, frozenset()) for number, post_id in changed.items()}


def _is_known(row: Row, known: Mapping[str, Post]) -> bool:
    was = known.get(row.draft.external_id)
    return was is not None and row.is_same(was)


def _given(row: Row, *, story_id: int, now: int) -> dict[str, Any]:
    draft = row.draft
    return {
        "title": row.title,
        "body": row.body,
        "text": row.text,
        "precision": draft.precision,
        "url": draft.url,
        "author": draft.author,
        "story_id": story_id,
        "pending_at": now,
    }


def _add(
    tx: Transaction, feed_id: int, told: Sequence[tuple[Row, int]], *, judged: Mapping[int, Judged]
) -> tuple[dict[int, PostResult], list[Said]]:
    """Store new posts, each with its story, and their mentions; what became of them, and what was said of them."""
    now = clock.now_ms()
    post_ids = posts.insert_each(
        tx, [_new(row, feed_id=feed_id, story_id=story_id, judged=judged, now=now) for row, story_id in told]
    )
    added = [(row, post_id) for (row, _), post_id in zip(told, post_ids, strict=True)]
    mention_ids = iter(
        mentions.insert_each(
            tx,
            [
                Placed(post_id, span, row.occurred_at, _judged(judged.get(row.number), at=at))
                for row, post_id in added
                for at, span in enumerate(row.spans)
            ],
        )
    )
    placed = [(row, post_id, list(islice(mention_ids, len(row.spans)))) for row, post_id in added]
    return (
        {row.number: _result(row, post_id, state="created") for row, post_id in added},
        [
            one
            for row, post_id, ids in placed
            if row.number in judged
            for one in said(post_id, mention_ids=ids, judged=judged[row.number])
        ],
    )


def _new(row: Row, *, feed_id: int, story_id: int, judged: Mapping[int, Judged], now: int) -> dict[str, Any]:
    known = {"feed_id": feed_id, "external_id": row.draft.external_id, "received_at": now}
    values = _given(row, story_id=story_id, now=now) | known | {"occurred_at": row.occurred_at}
    return values | (columns(judged[row.number]) if row.number in judged else {})


def _judged(judged: Judged | None, *, at: int) -> Mapping[str, Any]:
    prediction = judged.towards[at] if judged else None
    return towards(prediction) if prediction else {}


def _change(
    tx: Transaction, was: Post, *, row: Row, story_id: int, judged: Judged | None, viewer: Viewer
) -> list[Said]:
    """Store what a post says now; the predictions that are to be kept."""
    occurred_at = was.occurred_at if row.draft.occurred_at is None else row.occurred_at
    changes = _given(row, story_id=story_id, now=clock.now_ms()) | {"occurred_at": occurred_at}
    mentions.delete_of_post(tx, was.id)
    posts.change(tx, was.id, changes=changes)
    history.record(
        tx,
        actor=history.of(viewer),
        verb="updated",
        noun="post",
        noun_id=was.id,
        before={"title": was.title, "body": was.body},
        after={"title": row.title, "body": row.body},
    )
    mention_ids = mentions.insert_each(tx, [Placed(was.id, span, occurred_at) for span in row.spans])
    return write(tx, was.id, text=row.text, mention_ids=mention_ids, judged=judged) if judged else []


def _result(row: Row, post_id: int, *, state: State) -> PostResult:
    return PostResult(external_id=row.draft.external_id, id=post_id, state=state, row=row.number)


def _record(
    tx: Transaction, feed_id: int, results: Iterable[PostResult], *, rows: Sequence[Row], viewer: Viewer
) -> None:
    """One event for what a chunk brought; the feed remembers its latest post."""
    created = [result.id for result in results if result.state == "created"]
    if not created:
        return
    after = {"n_created": len(created), "post_ids": created}
    history.record(tx, actor=history.of(viewer), verb="posts_received", noun="feed", noun_id=feed_id, after=after)
    latest = max(row.occurred_at for row in rows)
    last = feeds.get(tx, feed_id).last_post_at or 0
    is_daily = all(row.draft.precision == "day" and row.draft.occurred_at is not None for row in rows)
    changes = {"last_post_at": max(latest, last), "last_received_at": clock.now_ms(), "is_daily": is_daily}
    feeds.note(tx, feed_id, changes=changes)


def classify_pending(services: Services, *, limit: int = CHUNK) -> int:
    """Let the model read posts that wait for it, oldest first; how many were read."""
    now = clock.now_ms()
    waiting = posts.pending(services.db, now=now, limit=limit)
    if not waiting:
        return 0
    with services.db.transaction() as tx:
        posts.put_off(tx, [post.id for post in waiting], until=now + LEASE_MS)
    placed = mentions.of_posts(services.db, [post.id for post in waiting])
    spans = {
        post.id: tuple(
            Span(entity_id=one.entity_id, start=one.start, end=one.end, surface=one.surface)
            for one in placed.get(post.id, ())
        )
        for post in waiting
    }
    read, judged, alike = _judged_waiting(services, waiting, spans)
    with services.db.transaction() as tx:
        still = {post.id: post.version for post in posts.still_pending(tx, [post.id for post in read])}
        told = [(post, one) for post, one in zip(read, judged, strict=True) if still.get(post.id) == post.version]
        with counted(tx, {post.story_id for post, _ in told if post.story_id is not None}):
            all_said: list[Said] = []
            for post, one in told:
                mention_ids = [mention.id for mention in placed.get(post.id, ())]
                all_said += write(tx, post.id, text=post.text, mention_ids=mention_ids, judged=one)
            predictions.insert_each(tx, all_said, at=now)
            means = {post.id: topics for post, topics in zip(read, alike, strict=True)}
            own_topics.put_likes(tx, {post.id: means[post.id] for post, _ in told})
    return len(read)


_Waiting = tuple[Sequence[Post], Sequence[Judged], Sequence[frozenset[int]]]


def _judged_waiting(services: Services, waiting: Sequence[Post], spans: Mapping[int, tuple[Span, ...]]) -> _Waiting:
    """The posts that the model could read, with what it says of each; one that it stumbles over costs no other."""
    try:
        return waiting, *_judged_together(services, waiting, spans)
    except BellwetherError:
        raise
    except Exception:
        if len(waiting) == 1:
            LOG.exception("post %d could not be read", waiting[0].id)
            with services.db.transaction() as tx:
                posts.put_off(tx, [waiting[0].id], until=clock.now_ms() + HOUR_MS)
            return (), (), ()
    alone = [_judged_waiting(services, [post], spans) for post in waiting]
    return (
        [post for some, _, _ in alone for post in some],
        [one for _, some, _ in alone for one in some],
        [topics for _, _, some in alone for topics in some],
    )


def _judged_together(
    services: Services, waiting: Sequence[Post], spans: Mapping[int, tuple[Span, ...]]
) -> tuple[Sequence[Judged], Sequence[frozenset[int]]]:
    declared = {feed.id: feed.language for feed in feeds.every(services.db) if feed.language}
    languages = {post.text: declared[post.feed_id] for post in waiting if post.feed_id in declared}
    judged = judge(services, [(post.text, spans[post.id]) for post in waiting], languages=languages)
    return judged, learn_topic.alike(services, [post.text for post in waiting])
