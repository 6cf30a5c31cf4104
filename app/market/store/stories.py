"""Stories: begun, stretched over time, and found behind a figure of a subject."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from app.core import scope
from app.core.db import Reads, Transaction, statement
from app.core.permissions import Viewer
from app.core.scope import Condition, listed
from app.core.storage.row_mapping import built
from app.market.domain.market import Post, Story
from app.market.domain.series import CountedPost
from app.market.store import posts, topics


def _story(row: sqlite3.Row) -> Story:
    story_id, key, title, first_at, last_at = row
    return Story(id=story_id, key=key, title=title, first_at=first_at, last_at=last_at)


def of_keys(db: Reads, keys: Sequence[str], *, since: int, until: int) -> tuple[Story, ...]:
    """Stories with one of these fingerprints that were told between two event times."""
    rows = db.rows(
        "SELECT id, key, title, first_at, last_at FROM story WHERE key IN (SELECT value FROM json_each(?)) "
        "AND last_at >= ? AND first_at <= ? ORDER BY id",
        (list(keys), since, until),
    )
    return tuple(map(_story, rows))


def recent(db: Reads, *, since: int, until: int, limit: int) -> tuple[Story, ...]:
    """The stories told last before `until`, back to `since` in event time."""
    rows = db.rows(
        "SELECT id, key, title, first_at, last_at FROM story WHERE last_at >= ? AND last_at <= ? "
        "ORDER BY last_at DESC LIMIT ?",
        (since, until, limit),
    )
    return tuple(map(_story, rows))


def next_id(tx: Transaction) -> int:
    """The id of the story that is begun next."""
    return tx.next_id("story")


def insert_each(tx: Transaction, begun: Sequence[Story]) -> None:
    """Begin stories, whose ids follow `next_id`."""
    rows = [(one.id, one.key, one.title, one.first_at, one.last_at) for one in begun]
    tx.insert_rows("story", ("id", "key", "title", "first_at", "last_at"), rows)


def stretch(tx: Transaction, told: Iterable[tuple[int, int]]) -> None:
    """Stretch stories, by id, to these times."""
    tx.execute_many(
        "UPDATE story SET first_at = min(first_at, ?), last_at = max(last_at, ?) WHERE id = ?",
        [(at, at, story_id) for story_id, at in told],
    )


def with_posts(db: Reads) -> tuple[int, ...]:
    """Every story that has posts, in order."""
    rows = db.rows("SELECT DISTINCT story_id FROM post WHERE story_id IS NOT NULL ORDER BY story_id")
    return tuple(row["story_id"] for row in rows)


def counted_posts(db: Reads, story_ids: Iterable[int]) -> tuple[CountedPost, ...]:
    """The part that is counted of every post of these stories."""
    rows = db.rows(
        "SELECT id, feed_id, occurred_at, story_id, topic, is_topic_abstained, sentiment, sentiment_score FROM post "
        "WHERE story_id IN (SELECT value FROM json_each(?))",
        (listed(story_ids),),
    )
    return tuple(built(CountedPost, row, flags=("is_topic_abstained",)) for row in rows)


_OF_ENTITY = """SELECT post_id AS id, post.story_id AS story_id, mention.sentiment_score AS score,
post.feed_id AS feed_id FROM mention JOIN post ON post.id = mention.post_id
WHERE mention.entity_id = ? AND mention.occurred_at >= ? AND mention.occurred_at < ?
AND mention.sentiment = 'negative'"""

_OF_POSTS = """SELECT id, story_id, sentiment_score AS score, feed_id FROM post
WHERE occurred_at >= ? AND occurred_at < ? AND sentiment = 'negative'"""


def negative(
    db: Reads,
    *,
    subject_kind: str,
    subject_id: str,
    since: int,
    until: int,
    viewer: Viewer,
    limit: int = 20,
) -> tuple[Post, ...]:
    """The negative stories of a subject, told most often first; for each the post that speaks worst."""
    inner, params = _inner(subject_kind, subject_id=subject_id, since=since, until=until)
    seen: list[Condition] = [("story_id IS NOT NULL", []), scope.of_feeds(viewer)]
    where, more = scope.joined(seen)
    sql = statement(
        "SELECT id, min(score) AS score, count(*) AS n FROM (",
        inner,
        ")",
        where,
        "GROUP BY story_id ORDER BY n DESC, score, id LIMIT ?",
    )
    ids = [row["id"] for row in db.rows(sql, [*params, *more, limit])]
    found = posts.by_ids(db, ids, viewer=viewer)
    return tuple(found[post_id] for post_id in ids if post_id in found)


def _inner(subject_kind: str, *, subject_id: str, since: int, until: int) -> Condition:
    if subject_kind == "entity":
        return _OF_ENTITY, [int(subject_id), since, until]
    if subject_kind == "topic":
        condition, params = topics.having(subject_id)
        return statement(_OF_POSTS, "AND", condition), [since, until, *params]
    if subject_kind == "feed":
        return statement(_OF_POSTS, "AND feed_id = ?"), [since, until, int(subject_id)]
    return _OF_POSTS, [since, until]


def topics_of_entity(
    db: Reads, entity_id: int, *, since: int, until: int, viewer: Viewer, limit: int = 8
) -> tuple[tuple[str, int], ...]:
    """The topics of posts that name a company in a stretch of time, with their unique stories, most first."""
    seen: list[Condition] = [
        ("mention.entity_id = ? AND mention.occurred_at >= ? AND mention.occurred_at < ?", [entity_id, since, until]),
        ("post.topic IS NOT NULL", []),
        scope.of_feeds(viewer, column="post.feed_id"),
    ]
    where, params = scope.joined(seen)
    sql = statement(
        "SELECT post.topic AS topic, count(DISTINCT coalesce(post.story_id, -post.id)) AS n FROM mention",
        "JOIN post ON post.id = mention.post_id",
        where,
        "GROUP BY post.topic ORDER BY n DESC, topic LIMIT ?",
    )
    return tuple((row["topic"], row["n"]) for row in db.rows(sql, [*params, limit]))


_OF_ENTITY_ALL = "post JOIN mention ON post.id = mention.post_id WHERE mention.entity_id = ? AND mention.occurred_at"
_OF_FEED_ALL = "post WHERE feed_id = ? AND occurred_at"


def _said(what: str, *, subject_kind: str, subject_id: str, since: int, until: int) -> Condition:
    """A SELECT of something of every post on a subject between two event times."""
    column = "mention.occurred_at" if subject_kind == "entity" else "occurred_at"
    places = {"entity": _OF_ENTITY_ALL, "market": "post WHERE occurred_at", "feed": _OF_FEED_ALL}
    key: list[object] = [] if subject_kind == "market" else [subject_id]
    if subject_kind == "topic":
        having, key = topics.having(subject_id)
        places["topic"] = statement("post WHERE", having, "AND occurred_at")
    sql = statement("SELECT DISTINCT", what, "FROM", places[subject_kind], ">= ? AND", column, "< ?")
    return sql, [*key, since, until]


def n_sources(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int, most: int) -> int:
    """The number of sources (authors, or feeds where there are none) on a subject; no more than `most` are counted."""
    inner, params = _said("feed_id, author", subject_kind=subject_kind, subject_id=subject_id, since=since, until=until)
    return int(db.value(statement("SELECT count(*) FROM (", inner, "LIMIT ?)"), [*params, most]))


def titles(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int, limit: int) -> tuple[str, ...]:
    """The titles of stories on a subject, one each, no more than `limit`."""
    inner, params = _said("story_id", subject_kind=subject_kind, subject_id=subject_id, since=since, until=until)
    sql = statement("SELECT title FROM story WHERE id IN (", inner, "LIMIT ?) ORDER BY id")
    return tuple(row["title"] for row in db.rows(sql, [*params, limit]))
