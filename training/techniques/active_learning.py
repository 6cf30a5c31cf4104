"""Active learning: label the unlabelled texts that teach the most.

    1. keep the least certain half of the texts:       smallest margin  p_1(x) - p_2(x) of the two best labels
    2. take the least certain text, then repeatedly    argmax_x min_{c chosen} ||v(x) - v(c)||

Doubt alone would choose the same doubt many times; the second step (k-center greedy, Sener and Savarese 2018,
arXiv:1708.00489) makes the chosen texts unlike each other. The application chooses by the same rule, which stands in
models/active_learning.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.active_learning import most_informative


def choose_rows_to_label(
    probabilities: npt.NDArray[np.float64], *, vectors: npt.NDArray[np.float32], n: int
) -> list[int]:
    """Return the indices of the `n` rows to label, given probabilities [rows, labels] and vectors [rows, width]."""
    best = np.sort(probabilities, axis=1)
    return most_informative(best[:, -1] - best[:, -2], vectors=vectors, n=n)
