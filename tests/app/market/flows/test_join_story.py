"""Which posts are one story: by fingerprint, by nearness, and within their time."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.db import open_database
from app.core.durations import DAY_MS, HOUR_MS
from app.market.domain.market import Post
from app.market.flows import join_story
from app.market.flows.join_story import Headline
from app.market.store import posts

T0 = 1_780_000_000_000
FIRST = "Northwharf shares fall after fraud probe in three ports"


@pytest.mark.parametrize(
    ("headline", "is_same"),
    [
        ((FIRST.upper(), "", T0 + HOUR_MS), True),
        (("UPDATE 2-" + FIRST + " - Harbour Wire", "", T0 + 2 * DAY_MS), True),
        ((FIRST, "", T0 + 4 * DAY_MS), False),
        ((FIRST, "", T0 - HOUR_MS), True),
        ((FIRST + " today", "", T0 + HOUR_MS), True),
        ((FIRST + " today", "", T0 + 2 * DAY_MS), False),
        (("Northwharf shares rise after fraud probe in three ports", "", T0 + HOUR_MS), False),
        (("Brantwing opens a depot", "", T0 + HOUR_MS), False),
    ],
)
def test_what_is_the_same_story(tmp_path: Path, headline: Headline, is_same: bool) -> None:
    db = open_database(tmp_path / "desk.sqlite")
    with db.transaction() as tx:
        (known,) = join_story.join_stories(tx, [(FIRST, "", T0)])
    with db.transaction() as tx:
        (found,) = join_story.join_stories(tx, [headline])
    assert (found == known) == is_same
    db.close()


def test_one_chunk_joins_its_own_copies(tmp_path: Path) -> None:
    db = open_database(tmp_path / "desk.sqlite")
    with db.transaction() as tx:
        found = join_story.join_stories(tx, [(FIRST, "", T0), ("Other news today", "", T0), (FIRST + "!", "", T0 + 5)])
    assert found[0] == found[2] != found[1]
    db.close()


def test_a_story_told_too_often_is_closed(tmp_path: Path) -> None:
    db = open_database(tmp_path / "desk.sqlite")
    with db.transaction() as tx:
        feed_id = tx.insert("feed", {"slug": "w", "name": "W", "kind": "push"})
        (known,) = join_story.join_stories(tx, [(FIRST, "", T0)])
        for number in range(join_story.MOST_COPIES):
            post = Post(
                id=0,
                feed_id=feed_id,
                external_id=str(number),
                title=FIRST,
                body="",
                text=FIRST,
                occurred_at=T0,
                received_at=T0,
                story_id=known,
            )
            posts.insert_each(tx, [post])
        assert join_story.join_stories(tx, [(FIRST, "", T0)]) != [known]
    db.close()
