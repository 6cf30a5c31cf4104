"""Reply templates: filling their placeholders, and which to offer for a ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.domain.knowledge import Macro, MacroSuggestion
from app.domain.prediction import Prediction

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z][\w.]*)\s*\}\}")

INTENT_WEIGHT = 0.8
ACCEPTANCE_WEIGHT = 0.2
GENERAL_MATCH = 0.05
"""What a macro without intents gets in place of the probability of a matching one: offered, but last."""

PRIOR_USED, PRIOR_OFFERED = 1, 4
"""A macro never offered counts as used once in four, so that a new one is tried."""


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


def rank(
    macros: Sequence[Macro], *, intent: Prediction | None, values: Mapping[str, str], limit: int = 5
) -> tuple[MacroSuggestion, ...]:
    """The macros to offer, best first: probability of the intent they answer, then how often they were accepted.

    A macro whose intents are all outside the prediction's best labels is not offered. `reason` is a code: `intent`,
    `intent_uncertain` (the model abstained), `intent_second` (a lower-ranked label), `general` (answers no intent).
    """
    offered = [suggestion for macro in macros if (suggestion := _suggestion(macro, intent=intent, values=values))]
    offered.sort(key=lambda suggestion: (-suggestion.score, suggestion.macro.name, suggestion.macro.id))
    return tuple(offered[:limit])


def _suggestion(macro: Macro, *, intent: Prediction | None, values: Mapping[str, str]) -> MacroSuggestion | None:
    match, reason = _match(macro, intent=intent)
    if not match:
        return None
    filled = fill(macro, values=values)
    accepted = (macro.n_used + PRIOR_USED) / (max(macro.n_offered, macro.n_used) + PRIOR_OFFERED)
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
