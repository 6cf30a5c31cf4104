"""A word-substitution attack: how often do a few synonyms turn a right answer into a wrong one?

After TextFooler (Jin et al. 2020, arXiv:1907.11932): words are ranked by how much the right label's probability drops
without them. The most important word is replaced by the synonym that lowers the probability most, then the next one,
until the answer is wrong or a fifth of the words is replaced. The synonyms in `synonyms.txt` are hand-written sets of
words that are interchangeable in these texts, so that a person would give the same label; words that carry the meaning
of a label have few synonyms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.runtime import Input
from models.text import Span
from training.evaluate.perturbations import replace_word, words_outside_target

BUDGET = 0.2
Score = Callable[[Sequence[Input]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class AttackState:
    """A text under attack: its label's index, the words left to replace (most important first), and the outcome."""

    item: Input
    column: int
    left: tuple[str, ...]
    budget: int
    changed: int = 0
    is_turned: bool = False


@dataclass(frozen=True)
class Outcome:
    """Of `n` texts with a right answer, `attackable` contain a word with a synonym, and `turned` got a wrong answer.

    `texts` are a few of the turned texts, before and after the attack.
    """

    n: int
    attackable: int
    turned: int
    texts: tuple[tuple[str, str], ...]

    @property
    def success_rate(self) -> float:
        """Share of the texts with a right answer that got a wrong one."""
        return self.turned / max(self.n, 1)


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """Return the synonyms of each word: the other words of its sets."""
    found: dict[str, list[str]] = {}
    path = Path(__file__).with_name("synonyms.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        some = line.split() if not line.startswith("#") else []
        for word in some:
            found.setdefault(word, []).extend(other for other in some if other != word)
    return {word: tuple(dict.fromkeys(others)) for word, others in found.items()}


def attack_texts(items: Sequence[Input], *, columns: Sequence[int], score: Score) -> Outcome:
    """Attack the texts that are answered rightly; `columns` are the right labels, `score` gives probabilities."""
    first = score(items)
    right = [at for at, column in enumerate(columns) if int(first[at].argmax()) == column]
    states = _rank_words([items[at] for at in right], columns=[columns[at] for at in right], score=score)
    attackable = sum(bool(state.left) for state in states)
    for _ in range(max((state.budget for state in states), default=0)):
        open_ = [at for at, state in enumerate(states) if _is_open(state)]
        for at, state in zip(open_, _replace_next_words([states[at] for at in open_], score=score), strict=True):
            states[at] = state
    turned = [at for at, state in enumerate(states) if state.is_turned]
    shown = tuple((items[right[at]].text, states[at].item.text) for at in turned[:5])
    return Outcome(len(right), attackable, len(turned), shown)


def _is_open(state: AttackState) -> bool:
    return not state.is_turned and bool(state.left) and state.changed < state.budget


def _rank_words(items: Sequence[Input], *, columns: Sequence[int], score: Score) -> list[AttackState]:
    """Return the initial state of each text, its replaceable words ranked by importance."""
    places = [_replaceable_words(item) for item in items]
    without = [
        replace_word(item, span=span, word="") for item, some in zip(items, places, strict=True) for span in some
    ]
    losses = iter(score(without)) if without else iter(())
    states = []
    for item, column, some in zip(items, columns, places, strict=True):
        left = {span: float(next(losses)[column]) for span in some}
        ranked = tuple(item.text[slice(*span)] for span in sorted(left, key=lambda span: left[span]))
        states.append(AttackState(item, column, ranked, max(1, int(BUDGET * len(item.text.split())))))
    return states


def _replaceable_words(item: Input) -> list[Span]:
    """Return the first occurrence of each word that has synonyms."""
    first: dict[str, Span] = {}
    for span in words_outside_target(item):
        first.setdefault(item.text[slice(*span)], span)
    return [span for word, span in first.items() if word.lower() in synonyms()]


def _replace_next_words(states: Sequence[AttackState], *, score: Score) -> list[AttackState]:
    """Replace the next word of each text by the synonym with the lowest probability of the right label."""
    tried = [_candidate_texts(state) for state in states]
    found = iter(score([variant for some in tried for variant in some])) if any(tried) else iter(())
    return [_next_state(state, variants=some, rows=[next(found) for _ in some]) for state, some in
            zip(states, tried, strict=True)]  # fmt: skip


def _candidate_texts(state: AttackState) -> list[Input]:
    word = state.left[0]
    span = next((span for span in words_outside_target(state.item) if state.item.text[slice(*span)] == word), None)
    if span is None:
        return []
    return [
        replace_word(state.item, span=span, word=_match_case(other, like=word)) for other in synonyms()[word.lower()]
    ]


def _next_state(
    state: AttackState, *, variants: Sequence[Input], rows: Sequence[npt.NDArray[np.float64]]
) -> AttackState:
    rest = state.left[1:]
    if not variants:
        return replace(state, left=rest)
    worst = min(range(len(rows)), key=lambda at: float(rows[at][state.column]))
    is_turned = int(rows[worst].argmax()) != state.column
    return replace(state, item=variants[worst], left=rest, changed=state.changed + 1, is_turned=is_turned)


def _match_case(word: str, *, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word.capitalize() if like[:1].isupper() else word
