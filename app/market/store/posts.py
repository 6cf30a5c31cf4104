"""Posts, within the viewer's feeds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from app.core import paging, scope
from app.core.db import Reads, Transaction, statement
from app.core.leases import lease_rows
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.scope import Condition, listed
from app.core.storage import full_text
from app.core.storage.row_mapping import built
from app.market.domain.market import Post, PostFilter
from app.market.store import topics as own_topics

MOST_SEARCHED = 5000

WORDING = ("title", "body", "text", "occurred_at", "precision", "url", "author", "story_id")
"""The columns that follow from what a feed says."""

READING = (
    "topic", "topic_probability", "is_topic_abstained", "sentiment", "sentiment_score", "language", "is_supported",
    "pending_at",
)  # fmt: skip
"""The columns that follow from what a model or a person says of a post."""

_COLUMNS = ("feed_id", "external_id", "received_at", *WORDING, *READING)

_SEARCH = "id IN (SELECT rowid FROM post_search WHERE post_search MATCH ? ORDER BY rowid DESC LIMIT ?)"
# A past day lies far below the newest posts of a common word: those of its last 50,000 are searched as well.
_SEARCH_BEFORE = """id IN (SELECT * FROM (SELECT rowid FROM post_search WHERE post_search MATCH ?
ORDER BY rowid DESC LIMIT ?)
UNION SELECT rowid FROM post_search WHERE post_search MATCH ? AND +rowid IN
(SELECT id FROM post WHERE occurred_at >= ? AND occurred_at < ? ORDER BY occurred_at DESC LIMIT 50000))"""


def as_post(row: sqlite3.Row) -> Post:
    """A post out of its row."""
    return built(Post, row, flags=("is_topic_abstained", "is_supported"))


def get(db: Reads, post_id: int) -> Post:
    """The post with this id, whoever asks; raises NotFound."""
    return as_post(db.got("post", post_id))


def of_feed(db: Reads, feed_id: int, *, external_ids: Iterable[str]) -> dict[str, Post]:
    """The posts of a feed that carry these ids, by that id."""
    rows = db.rows(
        "SELECT * FROM post WHERE feed_id = ? AND external_id IN (SELECT value FROM json_each(?))",
        (feed_id, sorted(external_ids)),
    )
    return {row["external_id"]: as_post(row) for row in rows}


def by_ids(db: Reads, post_ids: Iterable[int], *, viewer: Viewer) -> dict[int, Post]:
    """Posts by id, those in the viewer's scope."""
    seen: Condition = ("id IN (SELECT value FROM json_each(?))", [listed(post_ids)])
    where, params = scope.joined([seen, scope.of_feeds(viewer)])
    return {row["id"]: as_post(row) for row in db.rows(statement("SELECT * FROM post", where), params)}


def conditions(chosen: PostFilter, *, viewer: Viewer) -> list[Condition]:
    """The conditions of a filter, within the viewer's feeds."""
    plain: dict[str, str | int | None] = {
        "feed_id = ?": chosen.feed_id,
        "sentiment = ?": chosen.sentiment,
        "occurred_at >= ?": chosen.since,
        "occurred_at < ?": chosen.until,
    }
    found: list[Condition] = [(text, [value]) for text, value in plain.items() if value is not None]
    if chosen.entity_id is not None:
        found.append(_of_entity(chosen))
    if chosen.topic is not None:
        found.append(own_topics.having(chosen.topic))
    expression = full_text.words(chosen.query)
    if expression and chosen.until is not None:
        found.append((_SEARCH_BEFORE, [expression, MOST_SEARCHED, expression, chosen.since or 0, chosen.until]))
    elif expression:
        found.append((_SEARCH, [expression, MOST_SEARCHED]))
    return [*found, scope.of_feeds(viewer)]


def _of_entity(chosen: PostFilter) -> Condition:
    since = chosen.since if chosen.since is not None else 0
    until = chosen.until if chosen.until is not None else 1 << 62
    text = "id IN (SELECT post_id FROM mention WHERE entity_id = ? AND occurred_at >= ? AND occurred_at < ?)"
    return text, [chosen.entity_id, since, until]


def page(db: Reads, chosen: PostFilter, *, viewer: Viewer, limit: int = 50, after: str | None = None) -> Page[Post]:
    """One page of posts, newest event first; raises InputError for a cursor that was not made here."""
    return paging.paged(
        db,
        table="post",
        conditions=conditions(chosen, viewer=viewer),
        order="occurred_at DESC, id DESC",
        beyond=("", []) if after is None else ("(occurred_at, id) < (?, ?)", paging.keys(after, n=2)),
        make=as_post,
        key=lambda row: (row["occurred_at"], row["id"]),
        limit=limit,
    )


def newest_texts(db: Reads, *, limit: int) -> list[str]:
    """The texts of the newest posts of all feeds."""
    rows = db.rows("SELECT text FROM post ORDER BY occurred_at DESC, id DESC LIMIT ?", (limit,))
    return [row["text"] for row in rows]


def each(db: Reads, chosen: PostFilter, *, viewer: Viewer, chunk: int = 500) -> Iterator[Post]:
    """Every post of a filter by id, read in chunks so that no reader holds the database for long."""
    last = 0
    while True:
        where, params = scope.joined([*conditions(chosen, viewer=viewer), ("id > ?", [last])])
        rows = db.rows(statement("SELECT * FROM post", where, "ORDER BY id LIMIT ?"), [*params, chunk])
        if not rows:
            return
        yield from (as_post(row) for row in rows)
        last = rows[-1]["id"]


def insert_each(tx: Transaction, several: Sequence[Post]) -> list[int]:
    """Add posts, whose ids are not known yet; returns the new ids, in order."""
    first = tx.next_id("post")
    rows = [(post_id, *(getattr(post, name) for name in _COLUMNS)) for post_id, post in enumerate(several, start=first)]
    tx.insert_rows("post", ("id", *_COLUMNS), rows)
    return list(range(first, first + len(several)))


def update(tx: Transaction, post: Post, *, columns: Sequence[str]) -> None:
    """Write these columns of a post as it is now; raises NotFound."""
    tx.change("post", post.id, changes={name: getattr(post, name) for name in columns})


def pending(db: Reads, *, now: int, limit: int) -> tuple[Post, ...]:
    """Posts whose turn to be read by the model has come, oldest first."""
    rows = db.rows(
        "SELECT * FROM post WHERE pending_at IS NOT NULL AND pending_at <= ? ORDER BY pending_at, id LIMIT ?",
        (now, limit),
    )
    return tuple(as_post(row) for row in rows)


def n_pending(db: Reads) -> int:
    """The number of posts that wait for the model."""
    return int(db.value("SELECT count(*) FROM post WHERE pending_at IS NOT NULL"))


def put_off(tx: Transaction, post_ids: Iterable[int], *, until: int) -> None:
    """Reserve waiting posts for this process until a time."""
    ids = list(post_ids)
    tx.execute(
        "UPDATE post SET pending_at = ? WHERE pending_at IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        (until, listed(ids)),
    )
    lease_rows.hold(tx, "post", ids, until=until)


def of_story(db: Reads, story_id: int, *, viewer: Viewer, limit: int = 50) -> tuple[Post, ...]:
    """The posts that tell a story, earliest first."""
    where, params = scope.joined([("story_id = ?", [story_id]), scope.of_feeds(viewer)])
    rows = db.rows(statement("SELECT * FROM post", where, "ORDER BY occurred_at, id LIMIT ?"), [*params, limit])
    return tuple(as_post(row) for row in rows)


def story_sizes(db: Reads, story_ids: Iterable[int]) -> dict[int, int]:
    """The number of posts of each of these stories."""
    rows = db.rows(
        "SELECT story_id, count(*) AS n FROM post WHERE story_id IN (SELECT value FROM json_each(?)) GROUP BY story_id",
        (listed(story_ids),),
    )
    return {row["story_id"]: row["n"] for row in rows}


def still_pending(db: Reads, post_ids: Iterable[int]) -> tuple[Post, ...]:
    """Those of these posts that wait for the model."""
    rows = db.rows(
        "SELECT * FROM post WHERE pending_at IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        (listed(post_ids),),
    )
    return tuple(as_post(row) for row in rows)


_LAST = {
    "entity": "SELECT occurred_at FROM mention WHERE entity_id = ? ORDER BY occurred_at DESC LIMIT 1",
    "feed": "SELECT occurred_at FROM post WHERE feed_id = ? ORDER BY occurred_at DESC LIMIT 1",
    "market": "SELECT occurred_at FROM post ORDER BY occurred_at DESC LIMIT 1",
}


def last_at(db: Reads, *, subject_kind: str, subject_id: str) -> int | None:
    """When a subject was last spoken of, in event time; None when it never was."""
    if subject_kind == "topic":
        where, params = scope.joined([own_topics.having(subject_id)])
        sql = statement("SELECT occurred_at FROM post", where, "ORDER BY occurred_at DESC LIMIT 1")
    else:
        sql, params = _LAST[subject_kind], [] if subject_kind == "market" else [subject_id]
    found: int | None = db.value(sql, params)
    return found


def read_again(tx: Transaction, *, since: int, at: int) -> int:
    """Mark every post since a time to be read by the model again; returns how many there are."""
    return tx.execute("UPDATE post SET pending_at = ? WHERE occurred_at >= ? AND pending_at IS NULL", (at, since))
