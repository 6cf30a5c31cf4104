"""Near-duplicates: validation rows that repeat a training row almost word for word.

A validation row is a near-duplicate when at least half of its word trigrams occur in one training row. Headlines are
re-posted and templates are filled several times, so that a random split puts one copy on each side. A model is more
accurate on such rows than on new texts, and confidences calibrated on them are too high (Lee et al. 2022,
arXiv:2107.06499, show the same for a model's loss).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from models.examples import Example
from training.data.tasks import comparison_key

SHARED_TRIGRAMS = 0.5
N_WORDS = 3
COMMON_TRIGRAM = 500
"""A trigram that occurs in this many training rows is ignored: it identifies none of them."""

_LINK = re.compile(r"https?://\S+")
_WORD = re.compile(r"\w+")
Trigrams = frozenset[tuple[str, ...]]


def drop_near_duplicates(rows: Sequence[Example], *, known: Iterable[Example], at_least: int) -> list[Example]:
    """Return the rows without a near-duplicate in `known`, or all rows when fewer than `at_least` would be left."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, row in enumerate(known):
        for triple in word_trigrams(row.text):
            places[triple].append(at)
    kept = [row for row in rows if not _has_near_duplicate(word_trigrams(row.text), places=places)]
    return kept if len(kept) >= at_least else list(rows)


def word_trigrams(text: str) -> Trigrams:
    """Return the word trigrams of a text without its links; a shorter text is a single n-gram."""
    words = _WORD.findall(_LINK.sub("", comparison_key(text)))
    return frozenset(tuple(words[at : at + N_WORDS]) for at in range(max(1, len(words) - N_WORDS + 1)))


def _has_near_duplicate(own: Trigrams, *, places: dict[tuple[str, ...], list[int]]) -> bool:
    shared = Counter(at for triple in own if len(found := places.get(triple, [])) < COMMON_TRIGRAM for at in found)
    return any(count >= SHARED_TRIGRAMS * len(own) for count in shared.values())
