"""Which story a post tells: one with the same fingerprint, a near-duplicate among the recent ones, or a new one."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.series import DAY_MS
from app.ingest.duplicates import is_same_story, story_key
from app.store import posts
from app.store.db import Transaction
from app.store.posts import Story

SAME_KEY_MS = 3 * DAY_MS
"""A headline that comes back after three silent days is news again."""

NEAR_MS = DAY_MS
MOST_COMPARED = 60
MOST_COPIES = 500
"""A story of so many posts is closed: counting it anew with every copy must stay cheap."""

Telling = tuple[str, str, int]


def chosen(tx: Transaction, tellings: Sequence[Telling]) -> list[int]:
    """The story of each (title, body, event time), begun where there is none; ids in the same order."""
    if not tellings:
        return []
    keys = [story_key(title, body) for title, body, _ in tellings]
    times = [at for _, _, at in tellings]
    known = _open_ones(tx, posts.stories(tx, keys, since=min(times) - SAME_KEY_MS, until=max(times) + SAME_KEY_MS))
    by_key: dict[str, list[Story]] = {}
    for story in known:
        by_key.setdefault(story.key, []).append(story)
    found = []
    for (title, _, at), key in zip(tellings, keys, strict=True):
        known_story = _same(by_key.get(key, ()), at=at) or _near(tx, title, at=at)
        story = known_story or _begun(tx, key=key, title=title, at=at)
        posts.stretch_story(tx, story.id, at=at)
        by_key.setdefault(key, []).append(story)
        found.append(story.id)
    return found


def _begun(tx: Transaction, *, key: str, title: str, at: int) -> Story:
    story_id = posts.insert_story(tx, key=key, title=title, at=at)
    return Story(id=story_id, key=key, title=title, first_at=at, last_at=at)


def _open_ones(tx: Transaction, stories: Sequence[Story]) -> list[Story]:
    sizes = posts.story_sizes(tx, [story.id for story in stories])
    return [story for story in stories if sizes.get(story.id, 0) < MOST_COPIES]


def _same(stories: Sequence[Story], *, at: int) -> Story | None:
    fitting = [story for story in stories if story.first_at - SAME_KEY_MS <= at <= story.last_at + SAME_KEY_MS]
    return fitting[-1] if fitting else None


def _near(tx: Transaction, title: str, *, at: int) -> Story | None:
    recent = posts.recent_stories(tx, since=at - NEAR_MS, until=at + NEAR_MS, limit=MOST_COMPARED)
    alike = [story for story in recent if is_same_story(title, story.title)]
    return next(iter(_open_ones(tx, alike)), None) if alike else None
