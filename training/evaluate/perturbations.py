"""Small changes that should leave an answer as it is: a typo, another case, lost punctuation, a phrase around it.

Each keeps the target's own words and moves its place with the text. All draws are seeded. These are the test's own
changes; what training uses to make itself robust is written elsewhere, so that the test is no repetition of it.
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

# Phrases say nothing of the matter: no thanks and no praise around a text whose feeling is asked for.
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
    """The changes that a task of this role is tested with, by name."""
    phrases = PHRASES[_PHRASES_OF[role]]
    return {
        "typo": add_typo,
        "lower_case": lambda item, rng: Input(_change_letters(item.text, str.lower), item.target),
        "upper_case": lambda item, rng: Input(_change_letters(item.text, str.upper), item.target),
        "no_punctuation": lambda item, rng: _apply_edits(item, [(*m.span(), "") for m in _MARK.finditer(item.text)]),
        "phrase": lambda item, rng: add_phrase(item, phrase=rng.choice(phrases)),
    }


def add_typo(item: Input, rng: random.Random) -> Input:
    """One typo in one word of at least four letters: two letters swapped, one lost, doubled or its neighbour's key."""
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
    """The text with a phrase before or after it."""
    before, after = phrase
    shift = len(before)
    target = (item.target[0] + shift, item.target[1] + shift) if item.target else None
    return Input(before + item.text.rstrip() + after, target)


def replace_word(item: Input, *, span: Span, word: str) -> Input:
    """The text with one word in the place of another."""
    return _apply_edits(item, [(*span, word)])


def words_outside_target(item: Input) -> list[Span]:
    """The words outside the target."""
    return [m.span() for m in re.finditer(r"[A-Za-z']+", item.text) if not _overlap(m.span(), item.target)]


def _neighbour_key(letter: str, rng: random.Random) -> str:
    other = rng.choice(_NEAR.get(letter.lower(), [letter]))
    return other.upper() if letter.isupper() else other


def _change_letters(text: str, change: Callable[[str], str]) -> str:
    """Character by character; one whose other case is longer (ß) stays, so that spans hold."""
    return "".join(changed if len(changed := change(char)) == 1 else char for char in text)


def _overlap(span: Span, target: Span | None) -> bool:
    return target is not None and span[0] < target[1] and target[0] < span[1]


def _apply_edits(item: Input, edits: Sequence[tuple[int, int, str]]) -> Input:
    """The text with edits (in order, none inside the target), the target moved by those before it."""
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
    """The text without some pieces; those that touch the target stay."""
    return _apply_edits(item, [(*span, "") for span in sorted(spans)])
