"""The drivers of a surge: share against volume, the words that rose, and earlier alerts like it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from app.alerts.domain.evidence import RisenWord

PRIOR_WEIGHT = 50.0
"""The prior is worth so many stories of ordinary words."""

LEAST_Z, LEAST_STORIES, MOST_WORDS = 1.96, 2, 8
_WORD = re.compile(r"[^\W\d_][\w'’&-]{2,}")


def share_part(*, stories: float, negative: float, expected: float, share: float) -> float | None:
    """Return the part (0–1) of the surplus of negative stories that the share explains; None without a surplus."""
    surplus = negative - expected * share
    if surplus <= 0:
        return None
    return min(1.0, max(0.0, (negative - stories * share) / surplus))


def risen_words(now: Iterable[str], before: Iterable[str], *, leave_out: Iterable[str] = ()) -> tuple[RisenWord, ...]:
    """Return the words that rose, by the z-score of their log-odds ratio with an informative Dirichlet prior.

    Each text is one story and counts a word once. Monroe, Colaresi & Quinn 2008, "Fightin' Words".
    """
    known = {word for text in leave_out for word in _words(text)}
    seen, usual = _stories(now, leave_out=known), _stories(before, leave_out=known)
    both = seen + usual
    n_now, n_before, n_both = sum(seen.values()), sum(usual.values()), sum(both.values())
    found = []
    for word, count in seen.items():
        prior = PRIOR_WEIGHT * both[word] / n_both
        here, there = count + prior, usual[word] + prior
        odds = math.log(here / (n_now + PRIOR_WEIGHT - here)) - math.log(there / (n_before + PRIOR_WEIGHT - there))
        z = odds / math.sqrt(1 / here + 1 / there)
        if z >= LEAST_Z and count >= LEAST_STORIES:
            found.append(RisenWord(word=word, n_now=count, n_before=usual[word], z=round(z, 3)))
    return tuple(sorted(found, key=lambda one: (-one.z, one.word))[:MOST_WORDS])


def likeness(*, is_same_subject: bool, words: Sequence[RisenWord], others: Sequence[RisenWord]) -> float:
    """Return the likeness of two alerts (0–1): half for the subject, half for the words that rose in both."""
    here, there = {one.word for one in words}, {one.word for one in others}
    shared = len(here & there) / len(here | there) if here | there else 0.0
    return 0.5 * is_same_subject + 0.5 * shared


def _words(text: str) -> set[str]:
    return {word.casefold().removesuffix("'s").removesuffix("’s") for word in _WORD.findall(text)}


def _stories(texts: Iterable[str], *, leave_out: set[str]) -> Counter[str]:
    return Counter(word for text in texts for word in _words(text) - leave_out)
