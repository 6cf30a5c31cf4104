"""Spelling correction: a misspelt word is read as the known word that it was probably meant to be.

    meant(typed) = argmax over words w one slip away of  count(w) * likelihood(slip)

This is the noisy channel model with word counts from the training texts (Kernighan, Church and Gale 1990). A wrong
letter costs a small model much of its accuracy; correcting words before the model reads them regains most of it (Pruthi
et al. 2019, arXiv:1905.11268). A slip is a letter lost, added, changed, or swapped with the next one. Names, tickers,
handles, words with digits or an apostrophe, words in capitals and words that touch a target are not changed. Neither
are texts with mostly unknown words: they are in another language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path

from models.text import Edit, Normalised, Span, edited

FILE = "words.txt"
# Words that occur at least LEAST times are known; words of at least SHORTEST letters are corrected.
LEAST, SHORTEST = 3, 4
KNOWN_SHARE = 0.5
# A text with this share of capitalised words is a headline, in which capitals do not mark names.
TITLE_SHARE = 0.6
# Models read fewer words than this, and a very long text must not take long.
MAX_WORDS = 1024
KEPT = 1 << 16

_WORD = re.compile(r"(?<![\w@#$'’.])[A-Za-z]{1,24}(?![\w@'’])")
_BEGINS = re.compile(r"(?:^|[.!?:;\"“])[ ]*$")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {key: row[max(0, at - 1) : at] + row[at + 1 : at + 2] for row in _ROWS for at, key in enumerate(row)}
"""The keys beside each letter's key."""
# Likelihoods relative to common slips: a letter replaced by one that is not beside it, and an unrelated added letter.
_OTHER_LETTER, _ADDED_LETTER = 0.1, 0.05


def count_words(texts: Iterable[Normalised]) -> dict[str, int]:
    """Count the lower-case words of normalised texts; words that occur at least three times, most frequent first."""
    counts = Counter(found.group().lower() for text in texts for found in _WORD.finditer(text.text))
    return {word: count for word, count in counts.most_common() if count >= LEAST}


def save_words(path: Path, *, counts: Mapping[str, int]) -> None:
    """Write one word with its count per line."""
    path.write_text("".join(f"{word} {count}\n" for word, count in counts.items()), encoding="ascii")


def load_words(path: Path) -> dict[str, int]:
    """Read a file that `save_words` wrote. Raises ValueError for any other line."""
    rows = (line.split(" ") for line in path.read_text(encoding="ascii").splitlines())
    return {word: int(count) for word, count in rows}


@dataclass(frozen=True)
class Slip:
    """A misspelt word and its correction."""

    typed: str
    meant: str


class Spelling:
    """Corrects texts with the words of `counts`; `is_known` is True for other correct words. Thread-safe."""

    def __init__(self, counts: Mapping[str, int], *, is_known: Callable[[str], bool]) -> None:
        self._counts = counts
        self._is_known = lru_cache(KEPT)(lambda word: word in counts or is_known(word))
        self._meant = lru_cache(KEPT)(self._find)

    def mend(self, text: Normalised) -> Normalised:
        """Return the corrected text with its spans shifted; the same object if there is nothing to correct."""
        edits = self.edits(text)
        return edited(text, edits=edits) if edits else text

    def edits(self, text: Normalised) -> list[Edit]:
        """Return the edits that `mend` makes, in order."""
        words = list(islice(_WORD.finditer(text.text), MAX_WORDS))
        unknown = [found for found in words if not self._is_known(found.group().lower())]
        if not unknown or len(unknown) > (1 - KNOWN_SHARE) * len(words):
            return []
        is_title = sum(found.group()[0].isupper() for found in words) >= TITLE_SHARE * len(words)
        maybe = (found for found in unknown if _may_be_a_slip(found, spans=text.spans, is_title=is_title))
        return list(self._edits(maybe))

    def _edits(self, words: Iterable[re.Match[str]]) -> Iterator[Edit]:
        for found in words:
            word, (start, end) = found.group(), found.span()
            meant = self._meant(word.lower())
            if meant:
                yield start, end, meant.capitalize() if word[0].isupper() else meant

    def _find(self, typed: str) -> str:
        """Return the most likely word one slip away, or an empty string."""
        counts = self._counts
        known = ((counts[word] * likelihood, word) for word, likelihood in _slips(typed) if word in counts)
        return max(known, default=(0.0, ""))[1]


def _may_be_a_slip(found: re.Match[str], *, spans: Iterable[Span], is_title: bool) -> bool:
    """True for a word that is long enough, outside targets, no acronym and no name (capitalised within a sentence)."""
    word, (start, end) = found.group(), found.span()
    if len(word) < SHORTEST or not word[1:].islower() or any(start < last and first < end for first, last in spans):
        return False
    return word[0].islower() or is_title or _BEGINS.search(found.string, 0, start) is not None


def _slips(typed: str) -> Iterator[tuple[str, float]]:
    """Yield every string that one slip can turn into `typed`, with the slip's likelihood."""
    return chain(_lost(typed), _swapped(typed), _changed(typed), _added(typed))


def _lost(typed: str) -> Iterator[tuple[str, float]]:
    return ((typed[:at] + letter + typed[at:], 1.0) for at in range(len(typed) + 1) for letter in _LETTERS)


def _swapped(typed: str) -> Iterator[tuple[str, float]]:
    return ((typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :], 1.0) for at in range(len(typed) - 1))


def _changed(typed: str) -> Iterator[tuple[str, float]]:
    for at, letter in enumerate(typed):
        for other in _LETTERS:
            yield typed[:at] + other + typed[at + 1 :], 1.0 if other in BESIDE[letter] else _OTHER_LETTER


def _added(typed: str) -> Iterator[tuple[str, float]]:
    for at, letter in enumerate(typed):
        is_double = letter in (typed[at - 1 : at], typed[at + 1 : at + 2])
        yield typed[:at] + typed[at + 1 :], 1.0 if is_double else _ADDED_LETTER
