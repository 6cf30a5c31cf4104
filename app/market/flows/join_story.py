"""Which story a post tells: one with the same fingerprint, a near-duplicate among the recent ones, or a new one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, count

from app.core.db import Transaction
from app.core.durations import DAY_MS
from app.market.decide.near_duplicates import is_same_story, story_key
from app.market.store import posts
from app.market.store.posts import Story

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
        self._stories: list[Story] = []
        self._enough: list[float] = []
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for story in stories:
            self.add(story)

    def add(self, story: Story) -> None:
        """Put a story on the shelf."""
        words, place = _title_words(story.title), len(self._stories)
        self._stories.append(story)
        self._enough.append(LEAST_SHARED * len(words))
        for word in words:
            self._by_word[word].append(place)

    def near(self, title: str, *, at: int) -> list[Story]:
        """Stories of about this time that say nearly the same, most shared words first, then as they stand."""
        words = _title_words(title)
        shared = Counter(chain.from_iterable(self._by_word.get(word, ()) for word in words))
        enough = LEAST_SHARED * len(words)
        fitting = [(-n, place) for place, n in shared.items() if n >= enough or n >= self._enough[place]]
        stories = (self._stories[place] for _, place in sorted(fitting))
        return [story for story in stories if _is_about(story, at, NEAR_MS) and is_same_story(title, story.title)]


@lru_cache(maxsize=4 * MOST_COMPARED)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title.lower()))


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
    ids, begun, again = count(posts.next_story_id(tx)), list[Story](), list[tuple[int, int]]()
    found = []
    for (title, _, at), key in zip(tellings, keys, strict=True):
        known = [story for story in by_key[key] if _is_about(story, at, SAME_KEY_MS)]
        alike = known[-1:] or _open_ones(tx, shelf.near(title, at=at))
        if alike:
            story = alike[0]
            again.append((story.id, at))
        else:
            story = Story(id=next(ids), key=key, title=title, first_at=at, last_at=at)
            begun.append(story)
            shelf.add(story)
        by_key[key].append(story)
        found.append(story.id)
    posts.insert_stories(tx, begun)
    posts.stretch_stories(tx, again)
    return found


def _is_about(story: Story, at: int, around_ms: int) -> bool:
    return story.first_at - around_ms <= at <= story.last_at + around_ms


def _open_ones(tx: Transaction, stories: Sequence[Story]) -> list[Story]:
    if not stories:
        return []
    sizes = posts.story_sizes(tx, [story.id for story in stories])
    return [story for story in stories if sizes.get(story.id, 0) < MOST_COPIES]
