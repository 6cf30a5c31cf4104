"""Searching posts: a common word's past days are found behind all that was said since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.db import Database, open_database
from app.core.durations import DAY_MS
from app.core.permissions import SYSTEM
from app.market.domain.market import Post, PostFilter
from app.market.store import posts
from app.market.store.posts import MOST_SEARCHED

DAY = 19_700 * DAY_MS


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """Three posts of a day, then more of the days after it than a search reads; one of the three came last."""
    database = open_database(tmp_path / "desk.sqlite")
    with database.transaction() as tx:
        feed_id = tx.insert("feed", {"slug": "wire", "name": "Wire", "kind": "push"})
        times = [DAY, DAY + 1, *range(DAY + DAY_MS, DAY + DAY_MS + MOST_SEARCHED + 10), DAY + 2]
        for n, at in enumerate(times):
            post = Post(
                id=0,
                feed_id=feed_id,
                external_id=str(n),
                title="Shares fall",
                body="",
                text="Shares fall",
                occurred_at=at,
                received_at=at,
            )
            posts.insert_each(tx, [post])
    yield database
    database.close()


def _found(db: Database, *, since: int | None, until: int | None) -> list[int]:
    chosen = PostFilter(query="shares", since=since, until=until)
    return [post.occurred_at - DAY for post in posts.page(db, chosen, viewer=SYSTEM, limit=5).items]


def test_a_past_day_is_found_behind_many_newer_posts_and_what_came_late_with_it(db: Database) -> None:
    assert _found(db, since=DAY, until=DAY + DAY_MS) == [2, 1, 0]


def test_without_an_end_the_newest_are_searched(db: Database) -> None:
    last = DAY_MS + MOST_SEARCHED + 9
    assert _found(db, since=None, until=None) == [last - n for n in range(5)]


def test_a_day_before_all_has_nothing(db: Database) -> None:
    assert _found(db, since=0, until=DAY) == []
