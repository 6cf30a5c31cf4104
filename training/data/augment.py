"""Noisy copies of training rows: typos, keyboard slips, casing, OCR confusions, slang.

    rows' = rows + {noisy(x) : x drawn from the rows}          share = copies per row

A copy has one kind of noise in a few of its words, never in its target's; the label stays (Belinkov & Bisk 2018,
arXiv:1711.02173; Wei & Zou 2019, arXiv:1901.11196). All draws come from the seed, so a run can be repeated and its
teachers' answers be kept.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from models.examples import Example
from models.spelling import BESIDE
from models.text import Span
from training.config import AUGMENTATIONS
from training.data.tasks import TaskData

Noise = Callable[[str, random.Random], str]

_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_LOOKS_LIKE = (("rn", "m"), ("m", "rn"), ("cl", "d"), ("l", "1"), ("o", "0"), ("i", "l"), ("s", "5"), ("e", "c"))
_SLANG: Mapping[str, Sequence[str]] = {
    "you": ("u", "ya"),
    "your": ("ur",),
    "are": ("r",),
    "please": ("pls", "plz"),
    "thanks": ("thx", "ty"),
    "because": ("cuz", "bc"),
    "about": ("abt",),
    "with": ("w/",),
    "without": ("w/o",),
    "before": ("b4",),
    "want": ("wanna",),
    "going": ("goin",),
    "something": ("smth",),
    "people": ("ppl",),
    "message": ("msg",),
    "account": ("acct", "acc"),
    "tomorrow": ("tmrw",),
    "today": ("2day",),
    "for": ("4",),
    "to": ("2",),
    "what": ("wut",),
    "why": ("y",),
    "okay": ("k",),
    "cannot": ("cant",),
    "don't": ("dont",),
    "can't": ("cant",),
    "haven't": ("havent",),
    "isn't": ("isnt",),
}


def _typo(word: str, rng: random.Random) -> str:
    """Two letters swapped, one lost or one doubled."""
    if len(word) < 4:
        return word
    at = rng.randrange(len(word) - 1)
    here, after = word[at], word[at + 1]
    return word[:at] + rng.choice((after + here, after, here + here + after)) + word[at + 2 :]


def _keyboard(word: str, rng: random.Random) -> str:
    """The key beside the right one."""
    places = [at for at, letter in enumerate(word) if letter.lower() in BESIDE]
    if len(word) < 3 or not places:
        return word
    at = rng.choice(places)
    key = rng.choice(BESIDE[word[at].lower()])
    return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]


def _casing(word: str, rng: random.Random) -> str:
    return rng.choice((word.lower(), word.upper(), word.capitalize()))


def _ocr(word: str, rng: random.Random) -> str:
    """Letters read as what they look like."""
    fitting = [pair for pair in _LOOKS_LIKE if pair[0] in word]
    return word.replace(*rng.choice(fitting), 1) if fitting else word


def _slang(word: str, rng: random.Random) -> str:
    return rng.choice(_SLANG.get(word.lower(), (word,)))


NOISES: Mapping[str, Noise] = {
    "typo": _typo, "keyboard": _keyboard, "casing": _casing, "ocr": _ocr, "slang": _slang,
}  # fmt: skip
# How many of a text's words one kind of noise touches; the others come with every word that they know.
_TOUCHED = {"typo": 0.15, "keyboard": 0.15, "ocr": 0.2}


def augmented(data: Mapping[str, TaskData], *, share: float, kinds: Sequence[str], seed: int) -> dict[str, TaskData]:
    """The tasks with `share` noisy copies per training row behind their own rows; other splits stay as they are."""
    return {
        name: replace(entry, splits=entry.splits | {"train": _with_copies(entry, share=share, kinds=kinds, seed=seed)})
        for name, entry in data.items()
    }


def _with_copies(entry: TaskData, *, share: float, kinds: Sequence[str], seed: int) -> list[Example]:
    rows, rng = entry.splits["train"], random.Random(f"{seed}/{entry.task.name}")
    count = round(share * len(rows))
    drawn = [rows[at % len(rows)] for at in rng.sample(range(max(count, len(rows))), count)] if rows else []
    return rows + [noisy(row, kind=rng.choice(list(kinds or AUGMENTATIONS)), rng=rng) for row in drawn]


def noisy(row: Example, *, kind: str, rng: random.Random) -> Example:
    """One noisy copy; its target keeps its words and moves its place with the text."""
    pieces, at, span = [], 0, row.span
    touched = _TOUCHED.get(kind, 1.0)
    shift = 0
    for found in _WORD.finditer(row.text):
        if rng.random() >= touched or _meets(found.span(), span):
            continue
        word = NOISES[kind](found.group(), rng)
        pieces += [row.text[at : found.start()], word]
        at = found.end()
        if span and found.end() <= span[0]:
            shift += len(word) - len(found.group())
    moved = (span[0] + shift, span[1] + shift) if span else None
    return replace(row, text="".join([*pieces, row.text[at:]]), span=moved)


def _meets(word: Span, target: Span | None) -> bool:
    return target is not None and word[0] < target[1] and target[0] < word[1]
