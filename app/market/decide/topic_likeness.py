"""Topics by example: what means the same as a handful of posts (Rocchio's method on sentence vectors).

    d = mean of (example - c) - mean of (unlike - c) / 2        c: the mean of what the feeds usually say
    a post with vector v has the topic where cos(v - c, d) >= t

Without its centre, every financial text is like every other. t is what two of five examples miss when each is left out
in turn, or what all but `reach` percent of the usual posts miss, whichever is stricter. (Salton & Buckley 1990.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.market.domain.topic import Likeness

Matrix = NDArray[np.float32]

LEFT_OUT = 0.4
LEAST_USUAL = 50
"""With fewer usual posts than this, the examples alone say what is near enough."""


def learn(examples: Matrix, *, unlike: Matrix, usual: Matrix, reach: float) -> Likeness:
    """Learn a topic from vectors [n, h] of unit length, at least two of them examples; `reach` in percent."""
    is_known = len(usual) >= LEAST_USUAL
    centre = usual.mean(axis=0) if is_known else np.zeros(examples.shape[1], np.float32)
    near, far = _centred(examples, centre=centre), _centred(unlike, centre=centre)
    direction = _direction(near, far=far)
    least = float(np.quantile([_left_out(near, at=at, far=far) for at in range(len(near))], LEFT_OUT))
    if is_known:
        least = max(least, float(np.quantile(_centred(usual, centre=centre) @ direction, 1 - reach / 100)))
    return Likeness(centre=_floats(centre), direction=_floats(direction), least=round(least, 4))


def score(vectors: Matrix, *, likeness: Likeness) -> Matrix:
    """Return the likeness of each of these vectors [n, h] to a topic's examples, from -1 to 1."""
    centre = np.asarray(likeness.centre, np.float32)
    found: Matrix = _centred(vectors, centre=centre) @ np.asarray(likeness.direction, np.float32)
    return found


def fits(vectors: Matrix, *, likeness: Likeness) -> bool:
    """Return True for vectors of an encoder as wide as the one that the topic was learned with."""
    return vectors.ndim == 2 and vectors.shape[1] == len(likeness.centre)


def _left_out(near: Matrix, *, at: int, far: Matrix) -> float:
    return float(near[at] @ _direction(np.delete(near, at, axis=0), far=far))


def _direction(near: Matrix, *, far: Matrix) -> Matrix:
    found = near.mean(axis=0) - (far.mean(axis=0) / 2 if len(far) else 0)
    direction: Matrix = _unit(found[None])[0]
    return direction


def _centred(vectors: Matrix, *, centre: Matrix) -> Matrix:
    return _unit(vectors - centre) if len(vectors) else np.zeros((0, len(centre)), np.float32)


def _unit(vectors: Matrix) -> Matrix:
    found: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return found.astype(np.float32)


def _floats(vector: Matrix) -> tuple[float, ...]:
    return tuple(round(float(one), 5) for one in vector)
