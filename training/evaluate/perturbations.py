"""Small changes of a text that should not change the answer: a typo, other casing, no punctuation, an added phrase.

Each keeps the words of the target and shifts its span with the text. All random draws are seeded. These perturbations
are independent of the augmentation in training (data/augmentation.py), so that the test does not repeat it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

from models.labels import Role
from models.runtime import Input
from models.text import Span

Change = Callable[[Input, random.Random], Input]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    letter: [row[at + step] for step in (-1, 1) if 0 <= at + step < len(row)]
    for row in _ROWS
    for at, letter in enumerate(row)
}
_WORD = re.compile(r"[A-Za-z]{4,}")
_MARK = re.compile(r"[.,!?;:]+(?=\s|$)")

# Neutral phrases by group of tasks: no thanks and no praise around a text whose sentiment is the question.
PHRASES: Mapping[str, Sequence[tuple[str, str]]] = {
    "intent": (
        ("Hi, ", ""),
        ("Hello there. ", " Thanks!"),
        ("Quick question: ", ""),
        ("", " Please advise."),
        ("Sorry to bother you, but ", ""),
        ("Hey team, ", " Can you help?"),
    ),
    "feeling": (
        ("So, ", ""),
        ("Just saying: ", ""),
        ("", " (sent from my phone)"),
        ("Today: ", ""),
        ("", " That's it."),
    ),
    "market": (("Update: ", ""), ("Newswire - ", ""), ("", " - sources"), ("Just in: ", ""), ("", ", report says")),
}
_PHRASES_OF: Mapping[Role, str] = {
    "intent": "intent",
    "sentiment": "feeling",
    "emotion": "feeling",
    "market_sentiment": "market",
    "market_topic": "market",
}


def changes_for(role: Role) -> dict[str, Change]:
    """Return the perturbations for tasks of this role, by name."""
    phrases = PHRASES[_PHRASES_OF[role]]
    return {
        "typo": add_typo,
        "lower_case": lambda item, rng: Input(_change_letters(item.text, str.lower), item.target),
        "upper_case": lambda item, rng: Input(_change_letters(item.text, str.upper), item.target),
        "no_punctuation": lambda item, rng: _apply_edits(item, [(*m.span(), "") for m in _MARK.finditer(item.text)]),
        "phrase": lambda item, rng: add_phrase(item, phrase=rng.choice(phrases)),
    }


def add_typo(item: Input, rng: random.Random) -> Input:
    """Make one typo in a random word of at least four letters: a letter swapped, lost, doubled or from the next key."""
    words = [found.span() for found in _WORD.finditer(item.text) if not _overlap(found.span(), item.target)]
    if not words:
        return item
    start, end = rng.choice(words)
    at = rng.randrange(start, end - 1)
    here, after = item.text[at], item.text[at + 1]
    kinds = ("swap", "lose", "double", "neighbour") if here != after else ("lose", "double", "neighbour")
    kind = rng.choice(kinds)
    made = {"swap": after + here, "lose": after, "double": here + here + after}.get(kind)
    return _apply_edits(item, [(at, at + 2, made if made is not None else _neighbour_key(here, rng) + after)])


def add_phrase(item: Input, *, phrase: tuple[str, str]) -> Input:
    """Put a phrase before and after the text."""
    before, after = phrase
    shift = len(before)
    target = (item.target[0] + shift, item.target[1] + shift) if item.target else None
    return Input(before + item.text.rstrip() + after, target)


def replace_word(item: Input, *, span: Span, word: str) -> Input:
    """Replace the word at `span` by another one."""
    return _apply_edits(item, [(*span, word)])


def words_outside_target(item: Input) -> list[Span]:
    """Return the spans of the words outside the target."""
    return [m.span() for m in re.finditer(r"[A-Za-z']+", item.text) if not _overlap(m.span(), item.target)]


def _neighbour_key(letter: str, rng: random.Random) -> str:
    other = rng.choice(_NEAR.get(letter.lower(), [letter]))
    return other.upper() if letter.isupper() else other


def _change_letters(text: str, change: Callable[[str], str]) -> str:
    """Change each character; one that would become longer (ß) stays, so that spans remain valid."""
    return "".join(changed if len(changed := change(char)) == 1 else char for char in text)


def _overlap(span: Span, target: Span | None) -> bool:
    return target is not None and span[0] < target[1] and target[0] < span[1]


def _apply_edits(item: Input, edits: Sequence[tuple[int, int, str]]) -> Input:
    """Apply edits in order, except those that touch the target, and shift the target's span."""
    pieces, at, shift = [], 0, 0
    for start, end, text in edits:
        if _overlap((start, end), item.target):
            continue
        pieces += [item.text[at:start], text]
        at = end
        if item.target is not None and end <= item.target[0]:
            shift += len(text) - (end - start)
    target = (item.target[0] + shift, item.target[1] + shift) if item.target else None
    return Input("".join([*pieces, item.text[at:]]), target)


def remove_spans(item: Input, *, spans: Sequence[Span]) -> Input:
    """Remove spans of the text, except those that touch the target."""
    return _apply_edits(item, [(*span, "") for span in sorted(spans)])
