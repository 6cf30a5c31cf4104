"""Near twins: validation rows that repeat a training row in other words; they are easier than what is to come.

Two texts are near twins where at least half of the word triples of one stand in the other. Headlines are re-posted and
templates filled again, so that a random split puts one twin on either side: a confidence fitted on such rows promises
too much (Lee et al. 2022, arXiv:2107.06499, find the same of a model's loss).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from models.examples import Example
from training.data.tasks import comparable

SHARED = 0.5
N_WORDS = 3
COMMON = 500
"""A triple that stands in so many training rows says no more which of them is the twin."""

_LINK = re.compile(r"https?://\S+")
_WORD = re.compile(r"\w+")
Triples = frozenset[tuple[str, ...]]


def without_twins(rows: Sequence[Example], *, known: Iterable[Example], at_least: int) -> list[Example]:
    """The rows that have no near twin among the known ones; all of them where fewer than `at_least` would be left."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, row in enumerate(known):
        for triple in triples(row.text):
            places[triple].append(at)
    kept = [row for row in rows if not _has_twin(triples(row.text), places=places)]
    return kept if len(kept) >= at_least else list(rows)


def triples(text: str) -> Triples:
    """The runs of three words in a text without its links; a shorter text is one run."""
    words = _WORD.findall(_LINK.sub("", comparable(text)))
    return frozenset(tuple(words[at : at + N_WORDS]) for at in range(max(1, len(words) - N_WORDS + 1)))


def _has_twin(own: Triples, *, places: dict[tuple[str, ...], list[int]]) -> bool:
    shared = Counter(at for triple in own if len(found := places.get(triple, [])) < COMMON for at in found)
    return any(count >= SHARED * len(own) for count in shared.values())
