"""Which tickets to ask a person about, and when asking stops paying.

Asked about: the least certain half (smallest margin between the two best guesses), and of it greedily the one that is
farthest from all that are chosen already (k-center, Sener and Savarese 2018, arXiv 1708.00489), so that one kind of
doubt is not asked about twenty times.
Stopping: once the model is right nine times in ten even on what it doubts most, further labels change little. The share
is believed by its Wilson interval (Wilson 1927, JASA 22), so a lucky few do not end the teaching.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.interval import interval
from app.intents.domain import Asked, Payoff, Verdict

Vectors = NDArray[np.float32]

LEAST_ASKED = 20
ENOUGH = 0.9


def most_informative(margins: Sequence[float], *, vectors: Vectors, n: int) -> list[int]:
    """Places of the `n` texts to ask about, the most doubtful first; `vectors` [len(margins), h] of unit length."""
    order = np.argsort(np.asarray(margins, dtype=np.float64), kind="stable")
    pool = order[: max(n, (len(order) + 1) // 2)]
    chosen = [int(pool[0])] if len(pool) and n else []
    near = np.full(len(pool), np.inf)
    while len(chosen) < min(n, len(pool)):
        near = np.minimum(near, np.linalg.norm(vectors[pool] - vectors[chosen[-1]], axis=1))
        near[[int(one) in chosen for one in pool]] = -1.0
        chosen.append(int(pool[int(near.argmax())]))
    return chosen


def payoff(asked: Asked) -> Payoff:
    """What the answers say of a model: too few to tell, teaching pays, or it stops paying."""
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
