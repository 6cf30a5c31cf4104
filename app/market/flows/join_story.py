"""The story of a post: one with the same fingerprint, a near-duplicate among the recent ones, or a new one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, count

from app.core.db import Transaction
from app.core.durations import DAY_MS
from app.market.decide.near_duplicates import is_same_story, story_key
from app.market.domain.market import Story
from app.market.store import posts, stories

SAME_KEY_MS = 3 * DAY_MS
"""A headline that comes back after three silent days is news again."""

NEAR_MS = DAY_MS
MOST_COMPARED = 600
MOST_COPIES = 500
"""A story of so many posts is closed: counting it anew with every copy must stay cheap."""

LEAST_SHARED = 0.6
"""Stories are compared in full only when the shorter title shares this part of its words."""

Headline = tuple[str, str, int]
"""The title and body of a post, and its event time."""

_WORD = re.compile(r"\w+")


class _RecentStories:
    """Recent stories by the words of their titles, so that a title is compared with few of them."""

    def __init__(self, found: Iterable[Story]) -> None:
        self._stories: list[Story] = []
        self._enough: list[float] = []
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for story in found:
            self.add(story)

    def add(self, story: Story) -> None:
        """Add a story."""
        words, place = _title_words(story.title), len(self._stories)
        self._stories.append(story)
        self._enough.append(LEAST_SHARED * len(words))
        for word in words:
            self._by_word[word].append(place)

    def near(self, title: str, *, at: int) -> list[Story]:
        """Return stories of about this time that say nearly the same, most shared words first, then as they stand."""
        words = _title_words(title)
        shared = Counter(chain.from_iterable(self._by_word.get(word, ()) for word in words))
        enough = LEAST_SHARED * len(words)
        fitting = [(-n, place) for place, n in shared.items() if n >= enough or n >= self._enough[place]]
        found = (self._stories[place] for _, place in sorted(fitting))
        return [story for story in found if _is_about(story, at, NEAR_MS) and is_same_story(title, story.title)]


@lru_cache(maxsize=4 * MOST_COMPARED)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title.lower()))


def join_stories(tx: Transaction, headlines: Sequence[Headline]) -> list[int]:
    """Return the id of the story of each headline, in the same order; stories are begun where there is none."""
    if not headlines:
        return []
    keys = [story_key(title, body) for title, body, _ in headlines]
    first, last = min(at for _, _, at in headlines), max(at for _, _, at in headlines)
    by_key: defaultdict[str, list[Story]] = defaultdict(list)
    for story in _open_ones(tx, stories.of_keys(tx, keys, since=first - SAME_KEY_MS, until=last + SAME_KEY_MS)):
        by_key[story.key].append(story)
    recent = _RecentStories(stories.recent(tx, since=first - NEAR_MS, until=last + NEAR_MS, limit=MOST_COMPARED))
    ids, begun, again = count(stories.next_id(tx)), list[Story](), list[tuple[int, int]]()
    found = []
    for (title, _, at), key in zip(headlines, keys, strict=True):
        known = [story for story in by_key[key] if _is_about(story, at, SAME_KEY_MS)]
        alike = known[-1:] or _open_ones(tx, recent.near(title, at=at))
        if alike:
            story = alike[0]
            again.append((story.id, at))
        else:
            story = Story(id=next(ids), key=key, title=title, first_at=at, last_at=at)
            begun.append(story)
            recent.add(story)
        by_key[key].append(story)
        found.append(story.id)
    stories.insert_each(tx, begun)
    stories.stretch(tx, again)
    return found


def _is_about(story: Story, at: int, around_ms: int) -> bool:
    return story.first_at - around_ms <= at <= story.last_at + around_ms


def _open_ones(tx: Transaction, found: Sequence[Story]) -> list[Story]:
    """Return the stories that are not closed yet."""
    if not found:
        return []
    sizes = posts.story_sizes(tx, [story.id for story in found])
    return [story for story in found if sizes.get(story.id, 0) < MOST_COPIES]
