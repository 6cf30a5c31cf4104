"""Topics that analysts define, and the posts that have them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from app.core.db import Reads, Transaction
from app.core.scope import Condition, listed
from app.core.storage.row_mapping import built
from app.market.domain.topic import OWN, Likeness, OwnTopic, own_id


def as_topic(row: sqlite3.Row) -> OwnTopic:
    """A topic out of its row."""
    known = json.loads(row["likeness"] or "null")
    likeness = known and Likeness(
        centre=tuple(known["centre"]), direction=tuple(known["direction"]), least=known["least"]
    )
    lists = ("words", "without", "examples", "unlike")
    return built(OwnTopic, row, tuples=lists, flags=("is_active",), likeness=likeness)


def get(db: Reads, topic_id: int) -> OwnTopic:
    """The topic with this id, one that is gone too; raises NotFound."""
    return as_topic(db.got("own_topic", topic_id))


def every(db: Reads) -> tuple[OwnTopic, ...]:
    """The topics that are in use, by title."""
    rows = db.rows("SELECT * FROM own_topic WHERE is_active = 1 ORDER BY title COLLATE NOCASE, id")
    return tuple(as_topic(row) for row in rows)


def is_any(db: Reads) -> bool:
    """Return True where any post has a topic, also one that was given up."""
    return db.value("SELECT 1 FROM own_topic_post LIMIT 1") is not None


def having(subject_id: str) -> Condition:
    """Condition and parameters of the posts that have a topic, one of the model's or an analyst's own."""
    topic_id = own_id(subject_id)
    if topic_id is None:
        return "topic = ?", [subject_id]
    return "id IN (SELECT post_id FROM own_topic_post WHERE topic_id = ?)", [topic_id]


def put_likeness(tx: Transaction, topic: OwnTopic, *, likeness: Likeness) -> None:
    """Keep what the examples of a topic mean, unless it has changed meanwhile."""
    tx.execute(
        "UPDATE own_topic SET likeness = ? WHERE id = ? AND version = ?", (asdict(likeness), topic.id, topic.version)
    )


def of_posts(db: Reads, post_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The subject ids of the topics of each post that has any."""
    rows = db.rows(
        "SELECT post_id, topic_id FROM own_topic_post WHERE post_id IN (SELECT value FROM json_each(?)) "
        "ORDER BY topic_id",
        (listed(post_ids),),
    )
    found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    for row in rows:
        found[row["post_id"]] += (f"{OWN}{row['topic_id']}",)
    return found


def titles_of_posts(db: Reads, post_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Subject id and title of the topics in use of each post that has any, by title."""
    rows = db.rows(
        "SELECT post_id, topic_id, title FROM own_topic_post JOIN own_topic ON own_topic.id = topic_id "
        "WHERE is_active = 1 AND post_id IN (SELECT value FROM json_each(?)) ORDER BY title COLLATE NOCASE, topic_id",
        (listed(post_ids),),
    )
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for row in rows:
        found[row["post_id"]][f"{OWN}{row['topic_id']}"] = row["title"]
    return found


def bodies(db: Reads, story_ids: Iterable[int]) -> dict[int, str]:
    """The texts that the model reads of the posts of these stories, by post."""
    rows = db.rows("SELECT id, text FROM post WHERE story_id IN (SELECT value FROM json_each(?))", (listed(story_ids),))
    return {row["id"]: row["text"] for row in rows}


def likes(db: Reads, post_ids: Iterable[int]) -> dict[int, set[int]]:
    """The topics whose examples mean what a post means, by post."""
    rows = db.rows(
        "SELECT post_id, topic_id FROM own_topic_like WHERE post_id IN (SELECT value FROM json_each(?))",
        (listed(post_ids),),
    )
    found: defaultdict[int, set[int]] = defaultdict(set)
    for row in rows:
        found[row["post_id"]].add(row["topic_id"])
    return found


def put_likes(tx: Transaction, alike: Mapping[int, Iterable[int]]) -> None:
    """Keep the topics whose examples mean what each post means, in place of those kept before."""
    if not alike:
        return
    tx.execute("DELETE FROM own_topic_like WHERE post_id IN (SELECT value FROM json_each(?))", (listed(alike),))
    pairs = [(topic_id, post_id) for post_id, topics in alike.items() for topic_id in topics]
    tx.execute_many("INSERT INTO own_topic_like (topic_id, post_id) VALUES (?, ?)", pairs)


def texts(db: Reads, story_ids: Iterable[int]) -> dict[int, str]:
    """The titles and texts of the posts of these stories, by post."""
    rows = db.rows(
        "SELECT id, title, text FROM post WHERE story_id IN (SELECT value FROM json_each(?))", (listed(story_ids),)
    )
    return {row["id"]: f"{row['title']}\n{row['text']}" for row in rows}


def put(tx: Transaction, matched: Mapping[int, Iterable[int]]) -> None:
    """Keep the topics of each post, in place of those kept before."""
    tx.execute("DELETE FROM own_topic_post WHERE post_id IN (SELECT value FROM json_each(?))", (listed(matched),))
    pairs = [(topic_id, post_id) for post_id, topics in matched.items() for topic_id in topics]
    tx.execute_many("INSERT INTO own_topic_post (topic_id, post_id) VALUES (?, ?)", pairs)


def stories_to_count(db: Reads, topic_id: int, *, since: int, beyond: int, limit: int) -> tuple[int, ...]:
    """Stories after the id `beyond`, in order: those told since a time, and those of posts that have the topic."""
    rows = db.rows(
        "SELECT story_id FROM (SELECT story_id FROM post WHERE occurred_at >= ? UNION SELECT post.story_id "
        "FROM own_topic_post JOIN post ON post.id = own_topic_post.post_id WHERE topic_id = ?) "
        "WHERE story_id > ? ORDER BY story_id LIMIT ?",
        (since, topic_id, beyond, limit),
    )
    return tuple(row["story_id"] for row in rows)


def counts(db: Reads) -> dict[int, int]:
    """The number of posts of each topic."""
    rows = db.rows("SELECT topic_id, count(*) AS n FROM own_topic_post GROUP BY topic_id")
    return {row["topic_id"]: row["n"] for row in rows}
