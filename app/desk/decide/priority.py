"""The urgency of a ticket: a sum of points, each with its reason; computed, never predicted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.core.prediction import Prediction
from app.desk.decide import urgent_words
from app.desk.domain.ticket import Priority, Tier, Urgency, UrgencyPart

HIGHEST = 100
INTENT_HIGHEST = 40
ANGER_HIGHEST = 15
ANGER_FROM = 0.3
"""Anger below this probability is noise of a multi-label head and gives no points."""

NEGATIVE_HIGHEST = 15
POSITIVE_POINTS = -5
SHOUTING_POINTS = 5
SHOUTED_WORDS = 3

THRESHOLDS: tuple[tuple[int, Priority], ...] = ((70, "urgent"), (45, "high"), (20, "normal"))
TIER_POINTS: dict[Tier, int] = {"standard": 0, "plus": 5, "business": 10}
SLA_POINTS: tuple[tuple[float, str, int], ...] = (
    (0.0, "sla_breached", 20),
    (1.0, "sla_soon", 12),
    (4.0, "sla_near", 6),
)
"""Hours left at most, code, points: the first row that holds."""

_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")


def priority_of(points: int) -> Priority:
    """The priority that urgency points mean: low < 20 ≤ normal < 45 ≤ high < 70 ≤ urgent."""
    return next((priority for least, priority in THRESHOLDS if points >= least), "low")


def urgency(
    *,
    intent_urgency: int,
    sentiment: Prediction | None,
    emotion: Prediction | None,
    text: str,
    tier: Tier,
    hours_left: float | None,
) -> Urgency:
    """Urgency 0–100 with the parts that make it; the parts always add up to the points.

    `intent_urgency` is the base of the intent (0–40), `hours_left` the hours to the nearest deadline (None: none).
    Abstained predictions give no points. What goes beyond 0 or 100 is taken back by a part `cap`.
    """
    parts = [
        UrgencyPart(code="intent", points=min(max(intent_urgency, 0), INTENT_HIGHEST)),
        *_anger(emotion),
        *_sentiment(sentiment),
        *_words(text),
        UrgencyPart(code=f"tier_{tier}", points=TIER_POINTS[tier]),
        *_deadline(hours_left),
    ]
    return _summed(parts)


def with_intent(found: Urgency, *, intent_urgency: int) -> Urgency:
    """The same urgency for another intent: its base is exchanged, everything else that was found stays."""
    rest = [part for part in found.parts if part.code not in ("intent", "cap")]
    return _summed([UrgencyPart(code="intent", points=min(max(intent_urgency, 0), INTENT_HIGHEST)), *rest])


def _summed(parts: list[UrgencyPart]) -> Urgency:
    kept = [part for part in parts if part.points]
    total = sum(part.points for part in kept)
    points = min(max(total, 0), HIGHEST)
    if points != total:
        kept.append(UrgencyPart(code="cap", points=points - total))
    return Urgency(points=points, priority=priority_of(points), parts=tuple(kept))


def _anger(emotion: Prediction | None) -> Iterator[UrgencyPart]:
    if emotion is None or emotion.abstained:
        return
    anger = next((scored.probability for scored in emotion.top if scored.label == "anger"), 0.0)
    if anger >= ANGER_FROM or "anger" in emotion.labels:
        yield UrgencyPart(code="anger", points=round(ANGER_HIGHEST * anger))


def _sentiment(sentiment: Prediction | None) -> Iterator[UrgencyPart]:
    if sentiment is None or sentiment.abstained:
        return
    score = sentiment.sentiment_score or 0.0
    if score < 0:
        yield UrgencyPart(code="sentiment_negative", points=round(-NEGATIVE_HIGHEST * score))
    elif sentiment.label == "positive":
        yield UrgencyPart(code="sentiment_positive", points=POSITIVE_POINTS)


def _words(text: str) -> Iterator[UrgencyPart]:
    # "not urgent" must not count as "urgent": what says there is no hurry is taken out before the others look.
    rest, n_calm = urgent_words.NO_HURRY.subn(" ", text)
    if n_calm:
        yield UrgencyPart(code="words_no_hurry", points=urgent_words.NO_HURRY_POINTS)
    for signal in urgent_words.SIGNALS:
        if signal.pattern.search(rest):
            yield UrgencyPart(code=signal.code, points=signal.points)
    if len(_SHOUTED.findall(rest)) >= SHOUTED_WORDS or "!!!" in rest:
        yield UrgencyPart(code="shouting", points=SHOUTING_POINTS)


def _deadline(hours_left: float | None) -> Iterator[UrgencyPart]:
    if hours_left is None:
        return
    for hours, code, points in SLA_POINTS:
        if hours_left <= hours:
            yield UrgencyPart(code=code, points=points)
            return
