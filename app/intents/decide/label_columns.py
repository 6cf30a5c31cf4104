"""The columns that a person's label fills, by the role of the task."""

from __future__ import annotations

from app.core.nouns import Fields
from app.core.prediction import Role

_SCORES = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}


def columns(role: Role, *, label: str) -> Fields:
    """Return the columns of a ticket, post or mention that a person's label fills: certain, and in need of nobody."""
    if role == "intent":
        return {
            "intent": label,
            "intent_source": "agent",
            "intent_probability": None,
            "intent_band": None,
            "needs_person": False,
        }
    if role == "market_topic":
        return {"topic": label, "topic_probability": None, "is_topic_abstained": False}
    if role == "emotion":
        return {"emotion": label}
    return {"sentiment": label, "sentiment_score": _SCORES.get(label)}
