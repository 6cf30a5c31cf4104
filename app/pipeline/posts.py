"""Posts in: entities, topic and sentiment found, stories joined, hourly counts kept, a chunk at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal

from app import clock
from app.domain.market import Post, PostDraft, Span
from app.domain.people import Viewer
from app.errors import NotReady, Overloaded, TaskMissing
from app.ingest.clean import clean, shown
from app.ingest.rows import RowFault
from app.pipeline import history, stories
from app.pipeline.counting import counted, rebuild_series, recounted
from app.pipeline.gazetteer import gazetteer
from app.pipeline.judging import Judged, judge, write
from app.pipeline.services import Services
from app.store import feeds, mentions, posts
from app.store.db import Transaction

__all__ = ["PostResult", "classify_pending", "rebuild_series", "receive", "receive_each", "recounted"]

LOG = logging.getLogger(__name__)
CHUNK = 64
"""Posts that are stored in one transaction: about 50 ms, so that agents who write at the same time hardly wait."""

LEASE_MS = 30_000
LONGEST_TITLE = 1000
LONGEST_TEXT = 20_000

State = Literal["created", "updated", "unchanged", "failed"]


@dataclass(frozen=True, kw_only=True)
class PostResult:
    """What became of one row: `error` is a code with `params` when it failed, `row` counts rows from 1."""

    external_id: str
    id: int | None
    state: State
    error: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    row: int = 0


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A draft with everything that is known before a transaction begins."""

    number: int
    draft: PostDraft
    title: str
    body: str
    text: str
    occurred_at: int
    spans: tuple[Span, ...]


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
    feeds.get(services.db, feed_id, viewer=viewer)
    numbered = enumerate(drafts, start=1)
    while chunk := list(islice(numbered, CHUNK)):
        yield from _chunk(services, feed_id, chunk, viewer=viewer)


def _chunk(
    services: Services, feed_id: int, chunk: Sequence[tuple[int, PostDraft | RowFault]], *, viewer: Viewer
) -> list[PostResult]:
    results: dict[int, PostResult] = {}
    latest: dict[str, _Row] = {}
    for number, draft in chunk:
        row = _prepared(services, draft, number=number)
        if isinstance(row, PostResult):
            results[number] = row
            continue
        earlier = latest.get(row.draft.external_id)
        latest[row.draft.external_id] = row
        if earlier is not None:
            # Twice in one chunk: the last word counts, and the earlier row is told so.
            results[earlier.number] = _result(earlier, None, state="unchanged")
    rows = list(latest.values())
    judged = _judged(services, rows, language=feeds.get(services.db, feed_id).language)
    with services.db.transaction() as tx:
        stored = _store(tx, feed_id, rows, judged=judged, viewer=viewer)
    results |= stored
    for number, result in results.items():
        if result.id is None and result.state == "unchanged":
            same = stored[latest[result.external_id].number]
            results[number] = replace(result, id=same.id)
    return [results[number] for number, _ in chunk]


def _prepared(services: Services, draft: PostDraft | RowFault, *, number: int) -> _Row | PostResult:
    if isinstance(draft, RowFault):
        return PostResult(external_id="", id=None, state="failed", error=draft.code, params=draft.params, row=number)
    title = " ".join(shown(draft.title).split())[:LONGEST_TITLE]
    body = shown(draft.body)[:LONGEST_TEXT]
    text = _text(title, clean(body))
    if not text:
        return PostResult(external_id=draft.external_id, id=None, state="failed", error="empty_text", row=number)
    now = clock.now_ms()
    return _Row(
        number=number,
        draft=draft,
        title=title or text[:LONGEST_TITLE],
        body=body,
        text=text,
        occurred_at=now if draft.occurred_at is None else min(draft.occurred_at, now),
        spans=gazetteer(services).find(text),
    )


def _text(title: str, body: str) -> str:
    if not body or body.lower().startswith(title.lower()):
        return (body or title).strip()
    return f"{title}\n{body}".strip()


def _judged(services: Services, rows: Sequence[_Row], *, language: str) -> list[Judged | None]:
    """What the model says of each row; None for all of them when it cannot be asked now."""
    languages = {row.text: language for row in rows} if language else None
    try:
        return [*judge(services, [(row.text, row.spans) for row in rows], languages=languages)]
    except (NotReady, Overloaded, TaskMissing) as error:
        LOG.info("%d posts wait for the model: %s", len(rows), error.code)
        return [None] * len(rows)


def _store(
    tx: Transaction, feed_id: int, rows: Sequence[_Row], *, judged: Sequence[Judged | None], viewer: Viewer
) -> dict[int, PostResult]:
    known = posts.of_feed(tx, feed_id, external_ids=[row.draft.external_id for row in rows])
    changed = [
        (row, one) for row, one in zip(rows, judged, strict=True) if not _is_same(row, known.get(row.draft.external_id))
    ]
    results = {row.number: _result(row, known.get(row.draft.external_id), state="unchanged") for row in rows}
    chosen = stories.chosen(tx, [(row.title, row.body, row.occurred_at) for row, _ in changed])
    before = {known[row.draft.external_id].story_id for row, _ in changed if row.draft.external_id in known}
    touched = {*chosen, *before} - {None}
    with counted(tx, [story_id for story_id in touched if story_id is not None]):
        for (row, one), story_id in zip(changed, chosen, strict=True):
            was = known.get(row.draft.external_id)
            post_id = _put(tx, feed_id, row, was=was, story_id=story_id, viewer=viewer)
            _mention(tx, post_id, row=row, judged=one)
            state: State = "created" if was is None else "updated"
            results[row.number] = _result(row, None, state=state, post_id=post_id)
    _record(tx, feed_id, results.values(), rows=rows, viewer=viewer)
    return results


def _is_same(row: _Row, was: Post | None) -> bool:
    if was is None:
        return False
    moved = row.draft.occurred_at is not None and row.occurred_at != was.occurred_at
    return (was.title, was.body, was.url) == (row.title, row.body, row.draft.url) and not moved


def _put(tx: Transaction, feed_id: int, row: _Row, *, was: Post | None, story_id: int, viewer: Viewer) -> int:
    draft, now = row.draft, clock.now_ms()
    columns: dict[str, Any] = {
        "title": row.title,
        "body": row.body,
        "text": row.text,
        "occurred_at": row.occurred_at if was is None or draft.occurred_at is not None else was.occurred_at,
        "precision": draft.precision,
        "url": draft.url,
        "author": draft.author,
        "story_id": story_id,
        "pending_at": now,
    }
    if was is None:
        given = {"feed_id": feed_id, "external_id": draft.external_id, "received_at": now}
        return posts.insert(tx, values=columns | given)
    mentions.delete_of_post(tx, was.id)
    posts.update(tx, was.id, changes=columns)
    history.record(
        tx,
        actor=history.of(viewer),
        verb="updated",
        noun="post",
        noun_id=was.id,
        before={"title": was.title, "body": was.body},
        after={"title": row.title, "body": row.body},
    )
    return was.id


def _mention(tx: Transaction, post_id: int, *, row: _Row, judged: Judged | None) -> None:
    occurred_at = posts.read(tx, post_id).occurred_at
    mention_ids = [mentions.insert(tx, post_id=post_id, span=span, occurred_at=occurred_at) for span in row.spans]
    if judged is not None:
        write(tx, post_id, mention_ids=mention_ids, judged=judged)


def _result(row: _Row, was: Post | None, *, state: State, post_id: int | None = None) -> PostResult:
    found = post_id if was is None else was.id
    return PostResult(external_id=row.draft.external_id, id=found, state=state, row=row.number)


def _record(
    tx: Transaction, feed_id: int, results: Iterable[PostResult], *, rows: Sequence[_Row], viewer: Viewer
) -> None:
    """One event for what a chunk brought; the feed remembers its latest post."""
    created = [result.id for result in results if result.state == "created"]
    if not created:
        return
    after = {"n_created": len(created), "post_ids": created}
    history.record(tx, actor=history.of(viewer), verb="posts_received", noun="feed", noun_id=feed_id, after=after)
    latest = max(row.occurred_at for row in rows)
    last = feeds.get(tx, feed_id).last_post_at or 0
    feeds.note(tx, feed_id, changes={"last_post_at": max(latest, last), "last_received_at": clock.now_ms()})


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
    declared = {feed.id: feed.language for feed in feeds.every(services.db) if feed.language}
    languages = {post.text: declared[post.feed_id] for post in waiting if post.feed_id in declared}
    judged = judge(services, [(post.text, spans[post.id]) for post in waiting], languages=languages)
    with services.db.transaction() as tx:
        still = [posts.read(tx, post.id) for post in waiting]
        with counted(tx, {post.story_id for post in still if post.story_id is not None}):
            for post, now_is, one in zip(waiting, still, judged, strict=True):
                if post.version == now_is.version and posts.is_pending(tx, post.id):
                    mention_ids = [mention.id for mention in placed.get(post.id, ())]
                    write(tx, post.id, mention_ids=mention_ids, judged=one)
    return len(waiting)
