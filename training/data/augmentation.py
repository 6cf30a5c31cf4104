"""Data augmentation: noisy copies of training rows with typos, keyboard slips, other casing, OCR errors or slang.

    rows' = rows + {noise(x) : x drawn from rows}          share = copies per row

Each copy has one kind of noise in a few of its words and keeps its label; the words of its target stay as they are
(Belinkov & Bisk 2018, arXiv:1711.02173; Wei & Zou 2019, arXiv:1901.11196). All random draws follow from the seed, so
that a repeated run sees the same copies and can use the teachers' cached logits.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from models.examples import Example
from models.spelling import BESIDE
from models.text import Span
from training.data.tasks import TaskData
from training.recipe import AUGMENTATIONS

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
    """Swap two adjacent letters, drop one or double one."""
    if len(word) < 4:
        return word
    at = rng.randrange(len(word) - 1)
    here, after = word[at], word[at + 1]
    return word[:at] + rng.choice((after + here, after, here + here + after)) + word[at + 2 :]


def _keyboard(word: str, rng: random.Random) -> str:
    """Replace a letter by one beside it on the keyboard."""
    places = [at for at, letter in enumerate(word) if letter.lower() in BESIDE]
    if len(word) < 3 or not places:
        return word
    at = rng.choice(places)
    key = rng.choice(BESIDE[word[at].lower()])
    return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]


def _casing(word: str, rng: random.Random) -> str:
    return rng.choice((word.lower(), word.upper(), word.capitalize()))


def _ocr(word: str, rng: random.Random) -> str:
    """Replace letters by similar-looking ones, as optical character recognition does."""
    fitting = [pair for pair in _LOOKS_LIKE if pair[0] in word]
    return word.replace(*rng.choice(fitting), 1) if fitting else word


def _slang(word: str, rng: random.Random) -> str:
    return rng.choice(_SLANG.get(word.lower(), (word,)))


NOISES: Mapping[str, Noise] = {
    "typo": _typo, "keyboard": _keyboard, "casing": _casing, "ocr": _ocr, "slang": _slang,
}  # fmt: skip
# The share of a text's words that a kind of noise changes; kinds that are not listed change every word that they can.
_CHANGED_SHARE = {"typo": 0.15, "keyboard": 0.15, "ocr": 0.2}


def augment(data: Mapping[str, TaskData], *, share: float, kinds: Sequence[str], seed: int) -> dict[str, TaskData]:
    """Append `share` noisy copies per training row to each task's training rows; other splits stay as they are."""
    return {
        name: replace(entry, splits=entry.splits | {"train": _add_copies(entry, share=share, kinds=kinds, seed=seed)})
        for name, entry in data.items()
    }


def _add_copies(entry: TaskData, *, share: float, kinds: Sequence[str], seed: int) -> list[Example]:
    rows, rng = entry.splits["train"], random.Random(f"{seed}/{entry.task.name}")
    count = round(share * len(rows))
    drawn = [rows[at % len(rows)] for at in rng.sample(range(max(count, len(rows))), count)] if rows else []
    return rows + [add_noise(row, kind=rng.choice(list(kinds or AUGMENTATIONS)), rng=rng) for row in drawn]


def add_noise(row: Example, *, kind: str, rng: random.Random) -> Example:
    """Return a noisy copy of a row; its target keeps its words, and its span is shifted with the text."""
    pieces, at, span = [], 0, row.span
    touched = _CHANGED_SHARE.get(kind, 1.0)
    shift = 0
    for found in _WORD.finditer(row.text):
        if rng.random() >= touched or _overlap(found.span(), span):
            continue
        word = NOISES[kind](found.group(), rng)
        pieces += [row.text[at : found.start()], word]
        at = found.end()
        if span and found.end() <= span[0]:
            shift += len(word) - len(found.group())
    moved = (span[0] + shift, span[1] + shift) if span else None
    return replace(row, text="".join([*pieces, row.text[at:]]), span=moved)


def _overlap(word: Span, target: Span | None) -> bool:
    return target is not None and word[0] < target[1] and target[0] < word[1]
