"""The choice of unlabelled texts to ask a person about: doubtful ones that are unlike each other.

Of the least certain half (smallest margin between the two best guesses) the most doubtful text comes first, and then
greedily the one that is farthest from all that are chosen (k-center, Sener and Savarese 2018, arXiv 1708.00489), so
that one kind of doubt is not asked about twenty times. The application asks by this rule, and training measures it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def most_informative(margins: ArrayLike, *, vectors: NDArray[np.float32], n: int) -> list[int]:
    """Return the places of the `n` texts to ask about, the most doubtful first.

    `margins` [texts]: P(best guess) − P(second best). `vectors` [texts, width] of unit length: what the texts say.
    """
    order = np.argsort(np.asarray(margins, dtype=np.float64), kind="stable")
    pool = order[: max(n, (len(order) + 1) // 2)]
    chosen = [0] if len(pool) and n else []
    near = np.full(len(pool), np.inf)
    while len(chosen) < min(n, len(pool)):
        near = np.minimum(near, np.linalg.norm(vectors[pool] - vectors[pool[chosen[-1]]], axis=1))
        near[chosen] = -1.0  # never twice, even where all that is left says the same
        chosen.append(int(near.argmax()))
    return [int(pool[place]) for place in chosen]
