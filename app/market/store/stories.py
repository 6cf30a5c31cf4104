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


def _table(subject_kind: str) -> str:
    """The table that has the sentiment on a subject, and the time."""
    return "mention" if subject_kind == "entity" else "post"


def _posts_on(columns: str, *, subject_kind: str, subject_id: str, since: int, until: int) -> Condition:
    """A SELECT of columns of every post on a subject between two event times; more conditions may follow it."""
    table = _table(subject_kind)
    subjects: dict[str, Condition] = {
        "entity": ("mention.entity_id = ?", [subject_id]),
        "feed": ("feed_id = ?", [subject_id]),
        "topic": topics.having(subject_id),
    }
    period: Condition = (statement(table + ".occurred_at >= ? AND", table + ".occurred_at < ?"), [since, until])
    where, params = scope.joined([subjects.get(subject_kind, ("", [])), period])
    mentioned = "JOIN mention ON post.id = mention.post_id" if subject_kind == "entity" else ""
    return statement("SELECT", columns, "FROM post", mentioned, where), params


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
    table = _table(subject_kind)
    columns = statement("post.id AS id, story_id, feed_id,", table + ".sentiment_score AS score")
    inner, params = _posts_on(columns, subject_kind=subject_kind, subject_id=subject_id, since=since, until=until)
    where, more = scope.joined([("story_id IS NOT NULL", []), scope.of_feeds(viewer)])
    sql = statement(
        "SELECT id, min(score) AS score, count(*) AS n FROM (",
        inner,
        "AND",
        table + ".sentiment = 'negative' )",
        where,
        "GROUP BY story_id ORDER BY n DESC, score, id LIMIT ?",
    )
    ids = [row["id"] for row in db.rows(sql, [*params, *more, limit])]
    found = posts.by_ids(db, ids, viewer=viewer)
    return tuple(found[post_id] for post_id in ids if post_id in found)


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


def n_sources(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int, most: int) -> int:
    """The number of sources (authors, or feeds where there are none) on a subject; no more than `most` are counted."""
    subject = {"subject_kind": subject_kind, "subject_id": subject_id}
    inner, params = _posts_on("DISTINCT feed_id, author", **subject, since=since, until=until)
    return int(db.value(statement("SELECT count(*) FROM (", inner, "LIMIT ?)"), [*params, most]))


def titles(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int, limit: int) -> tuple[str, ...]:
    """The titles of stories on a subject, one each, no more than `limit`."""
    subject = {"subject_kind": subject_kind, "subject_id": subject_id}
    inner, params = _posts_on("DISTINCT story_id", **subject, since=since, until=until)
    sql = statement("SELECT title FROM story WHERE id IN (", inner, "LIMIT ?) ORDER BY id")
    return tuple(row["title"] for row in db.rows(sql, [*params, limit]))
