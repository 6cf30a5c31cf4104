"""Reply templates: filling their placeholders, and which to offer for a ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from app.answers.domain import Macro, MacroSuggestion, Tally, Verdict
from app.core.prediction import Prediction

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z][\w.]*)\s*\}\}")

INTENT_WEIGHT = 0.8
ACCEPTANCE_WEIGHT = 0.2
GENERAL_MATCH = 0.05
"""Stands for the probability of a matching intent where a macro has no intents: it is offered, but last."""

PRIOR_KEPT, PRIOR_N = 1, 4
"""A macro without outcomes counts as kept once in four times, so that a new one is tried."""

LONGEST_MATCHED = 5000
LONGEST_SHOWN = 40
_OPEN = re.compile(r"\{\{|\}\}")
_VALUE = r"(?:(?![.!?] ).){1,80}?"  # a few words, never the end of a sentence
_WORD = re.compile(r"\w+|[^\w\s]")


class Filled(NamedTuple):
    """A macro's text with its placeholders filled, and the names of those that stay empty (still `{{ … }}`)."""

    text: str
    missing: tuple[str, ...]


def placeholders(body: str) -> tuple[str, ...]:
    """The placeholder names of a template in their order, each once."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(body)))


def fill(macro: Macro, *, values: Mapping[str, str]) -> Filled:
    """The macro's text with `values` in place; an unknown or blank value is never guessed, its name is `missing`.

    One pass: a value that looks like a placeholder itself is not filled again.
    """
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "").strip()
        if not found:
            missing[match[1]] = None
        return found or match[0]

    return Filled(_PLACEHOLDER.sub(value, macro.body), tuple(missing))


def broken_placeholder(body: str) -> str | None:
    """The first place in a template that looks like a placeholder and is none; None where all can be filled."""
    rest = _PLACEHOLDER.sub(lambda match: " " * len(match[0]), body)
    found = _OPEN.search(rest)
    if found is None:
        return None
    shown = body[found.start() : found.start() + LONGEST_SHOWN]
    end = shown.find("}}", 2)
    return " ".join((shown if end < 0 else shown[: end + 2]).split())


def verdict(sent: str, *, offered: str) -> tuple[Verdict, float]:
    """The verdict on a text that was sent, and the share (0–1) of its words that were kept.

    Placeholders that were still empty in the offer may have become any words.
    """
    if len(sent) <= LONGEST_MATCHED and _pattern(offered).fullmatch(" ".join(sent.split())):
        return "accepted", 1.0
    before, after = _WORD.findall(offered)[:LONGEST_MATCHED], _WORD.findall(sent)[:LONGEST_MATCHED]
    return "edited", round(SequenceMatcher(None, before, after, autojunk=False).ratio(), 4)


def _pattern(offered: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in _PLACEHOLDER.sub("\0", " ".join(offered.split())).split("\0")]
    return re.compile(_VALUE.join(parts))


def rank(
    macros: Sequence[Macro],
    *,
    intent: Prediction | None,
    values: Mapping[str, str],
    tallies: Mapping[int, Tally] | None = None,
    limit: int = 5,
) -> tuple[MacroSuggestion, ...]:
    """The macros to offer, best first: by the probability of the intent they answer, then by their outcomes.

    `tallies` are the outcomes on tickets of this intent by macro id. A macro whose intents are all outside the
    prediction's best labels is not offered. `reason` is a code: `intent`, `intent_uncertain` (the model abstained),
    `intent_second` (a lower-ranked label), `general` (answers no intent).
    """
    known = tallies or {}
    made = [_suggestion(one, intent=intent, values=values, tally=known.get(one.id, Tally())) for one in macros]
    offered = [suggestion for suggestion in made if suggestion is not None]
    offered.sort(key=lambda suggestion: (-suggestion.score, suggestion.macro.name, suggestion.macro.id))
    return tuple(offered[:limit])


def _suggestion(
    macro: Macro, *, intent: Prediction | None, values: Mapping[str, str], tally: Tally
) -> MacroSuggestion | None:
    match, reason = _match(macro, intent=intent)
    if not match:
        return None
    filled = fill(macro, values=values)
    accepted = (tally.kept + PRIOR_KEPT) / (tally.n + PRIOR_N)
    return MacroSuggestion(
        macro=macro,
        filled=filled.text,
        missing=filled.missing,
        # Acceptance is scaled by the match: the favourite macro of another intent must not overtake the right one.
        score=match * (INTENT_WEIGHT + ACCEPTANCE_WEIGHT * accepted),
        reason=reason,
    )


def _match(macro: Macro, *, intent: Prediction | None) -> tuple[float, str]:
    if not macro.intents:
        return GENERAL_MATCH, "general"
    if intent is None:
        return 0.0, ""
    best = max(
        (scored for scored in intent.top if scored.label in macro.intents),
        key=lambda scored: scored.probability,
        default=None,
    )
    if best is None:
        return 0.0, ""
    if intent.abstained:
        return best.probability, "intent_uncertain"
    return best.probability, "intent" if best.label == intent.label else "intent_second"
