"""The point at which answering a model's doubtful texts stops paying.

Once the model is right nine times in ten even on what it doubts most, further labels change little. The share is
believed by its Wilson interval (Wilson 1927, JASA 22), so a lucky few do not end the teaching.
"""

from __future__ import annotations

from app.core.interval import interval
from app.intents.domain import Asked, Payoff, Verdict

LEAST_ASKED = 20
ENOUGH = 0.9


def payoff(asked: Asked) -> Payoff:
    """Return the payoff of teaching a model by the answers so far: too few, it pays, or it stops paying."""
    low, high = interval(asked.n_right, asked.n)
    verdict: Verdict = "pays"
    if asked.n < LEAST_ASKED:
        verdict = "too_few"
    elif low >= ENOUGH:
        verdict = "stops"
    return Payoff(
        model=asked.model,
        n=asked.n,
        n_right=asked.n_right,
        low=low,
        high=high,
        verdict=verdict,
        n_missing=max(LEAST_ASKED - asked.n, 0),
    )
