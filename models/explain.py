"""Explain an answer of the served model by occlusion, with a measure of the explanation's fidelity.

The weight of a word is the drop of the label's probability when the word is left out (Zeiler and Fergus 2014,
arXiv:1311.2901). Fidelity is a deletion test (Samek et al. 2017): the words with the greatest weights are left out
together, and the drop is compared with that of the same number of random words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.runtime import Input
from models.spelling import Slip
from models.text import Span

MAX_PIECES = 64
DELETED = 0.2
DRAWS = 5

Score = Callable[[Sequence[Input]], NDArray[np.float64]]


@dataclass(frozen=True)
class Weight:
    """A piece of the text (characters `start` to `end`) and the drop of the label's probability without it."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """The weights of a text's words, in reading order, for a label and its probability.

    deletion_drop  drop of the probability without the words of the greatest weights
    random_drop    mean drop without the same number of random words
    fidelity       their difference, between -1 and 1; at or below zero the weights explain nothing
    slips          misspelt words, and how the model reads them
    """

    label: str
    probability: float
    weights: tuple[Weight, ...]
    deletion_drop: float
    random_drop: float
    slips: tuple[Slip, ...] = ()

    @property
    def fidelity(self) -> float:
        """Drop without the words of the greatest weights, minus the drop without random words."""
        return self.deletion_drop - self.random_drop


def explain(item: Input, *, score: Score, label: str, seed: int = 0) -> Explanation:
    """Explain an answer; `score` gives the label's probability for variants of the text.

    Words are separated by white space; a text with more than 64 words is divided into 64 runs of words, or fewer. The
    words of the target are never left out: without its target a market text is another question.
    """
    pieces = _pieces(item.text, target=item.target)
    variants = [_without(item, pieces=[piece]) for piece in pieces]
    values = score([item, *variants])
    whole, weights = float(values[0]), [float(values[0] - value) for value in values[1:]]
    count = max(1, round(DELETED * len(pieces))) if pieces else 0
    best = sorted(range(len(pieces)), key=lambda at: -weights[at])[:count]
    rng = random.Random(seed)
    draws = [best, *(rng.sample(range(len(pieces)), count) for _ in range(DRAWS))] if pieces else []
    dropped = score([_without(item, pieces=[pieces[at] for at in draw]) for draw in draws]) if draws else np.zeros(2)
    return Explanation(
        label=label,
        probability=whole,
        weights=tuple(Weight(*piece, weight) for piece, weight in zip(pieces, weights, strict=True)),
        deletion_drop=whole - float(dropped[0]) if draws else 0.0,
        random_drop=whole - float(dropped[1:].mean()) if draws else 0.0,
    )


def _pieces(text: str, *, target: Span | None) -> list[Span]:
    words = [found.span() for found in re.finditer(r"\S+", text)]
    if target is not None:
        words = [word for word in words if word[1] <= target[0] or word[0] >= target[1]]
    size = -(-len(words) // MAX_PIECES) or 1
    runs = [words[at : at + size] for at in range(0, len(words), size)]
    return [(run[0][0], run[-1][1]) for run in runs if not _holds(run, target=target)]


def _holds(run: Sequence[Span], *, target: Span | None) -> bool:
    return target is not None and run[0][0] < target[1] and run[-1][1] > target[0]


def _without(item: Input, *, pieces: Collection[Span]) -> Input:
    """Remove pieces of the text and shift the target's span."""
    kept, at, target = [], 0, item.target
    for start, end in sorted(pieces):
        kept.append(item.text[at:start])
        at = end
        if item.target is not None and target is not None and end <= item.target[0]:
            target = (target[0] - (end - start), target[1] - (end - start))
    return Input("".join([*kept, item.text[at:]]), target)
