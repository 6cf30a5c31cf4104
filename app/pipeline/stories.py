"""Which story a post tells: one with the same fingerprint, a near-duplicate among the recent ones, or a new one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from app.domain.series import DAY_MS
from app.ingest.duplicates import is_same_story, story_key
from app.store import posts
from app.store.db import Transaction
from app.store.posts import Story

SAME_KEY_MS = 3 * DAY_MS
"""A headline that comes back after three silent days is news again."""

NEAR_MS = DAY_MS
MOST_COMPARED = 600
MOST_COPIES = 500
"""A story of so many posts is closed: counting it anew with every copy must stay cheap."""

LEAST_SHARED = 0.6
"""Stories are compared in full only when the shorter title shares this part of its words."""

Telling = tuple[str, str, int]

_WORD = re.compile(r"\w+")


class _Shelf:
    """Stories found by the words of their titles, so that a title is compared with few of them."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self._words: dict[int, int] = {}
        self._stories: dict[int, Story] = {}
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for story in stories:
            self.add(story)

    def add(self, story: Story) -> None:
        """Put a story on the shelf."""
        words = set(_WORD.findall(story.title.lower()))
        self._stories[story.id], self._words[story.id] = story, len(words)
        for word in words:
            self._by_word[word].append(story.id)

    def near(self, title: str, *, at: int) -> list[Story]:
        """Stories of about this time that say nearly the same, most shared words first."""
        words = set(_WORD.findall(title.lower()))
        shared = Counter(story_id for word in words for story_id in self._by_word.get(word, ()))
        fitting = [
            self._stories[story_id]
            for story_id, n in shared.most_common()
            if n >= LEAST_SHARED * min(len(words), self._words[story_id])
        ]
        return [story for story in fitting if _is_about(story, at, NEAR_MS) and is_same_story(title, story.title)]


def chosen(tx: Transaction, tellings: Sequence[Telling]) -> list[int]:
    """The story of each (title, body, event time), begun where there is none; ids in the same order."""
    if not tellings:
        return []
    keys = [story_key(title, body) for title, body, _ in tellings]
    first, last = min(at for _, _, at in tellings), max(at for _, _, at in tellings)
    by_key: defaultdict[str, list[Story]] = defaultdict(list)
    for story in _open_ones(tx, posts.stories(tx, keys, since=first - SAME_KEY_MS, until=last + SAME_KEY_MS)):
        by_key[story.key].append(story)
    shelf = _Shelf(posts.recent_stories(tx, since=first - NEAR_MS, until=last + NEAR_MS, limit=MOST_COMPARED))
    found = []
    for (title, _, at), key in zip(tellings, keys, strict=True):
        known = [story for story in by_key[key] if _is_about(story, at, SAME_KEY_MS)]
        alike = known[-1:] or _open_ones(tx, shelf.near(title, at=at))
        story = alike[0] if alike else _begun(tx, key=key, title=title, at=at)
        if not alike:
            shelf.add(story)
        posts.stretch_story(tx, story.id, at=at)
        by_key[key].append(story)
        found.append(story.id)
    return found


def _is_about(story: Story, at: int, around_ms: int) -> bool:
    return story.first_at - around_ms <= at <= story.last_at + around_ms


def _begun(tx: Transaction, *, key: str, title: str, at: int) -> Story:
    story_id = posts.insert_story(tx, key=key, title=title, at=at)
    return Story(id=story_id, key=key, title=title, first_at=at, last_at=at)


def _open_ones(tx: Transaction, stories: Sequence[Story]) -> list[Story]:
    if not stories:
        return []
    sizes = posts.story_sizes(tx, [story.id for story in stories])
    return [story for story in stories if sizes.get(story.id, 0) < MOST_COPIES]
