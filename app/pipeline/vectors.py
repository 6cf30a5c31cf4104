"""Vectors of texts, kept for those seen before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from app.pipeline.services import Services

Matrix = NDArray[np.float32]

MOST_REMEMBERED = 5000


class Vectors:
    """Vectors of texts seen before: articles are quoted, and doubts asked about, far more often than they change."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def of(self, services: Services, texts: Sequence[str]) -> Matrix:
        """Vectors [n, h] of unit length; raises NotReady when there is no search encoder."""
        key = id(services.engine)
        with self._lock:
            new = list(dict.fromkeys(text for text in texts if (key, text) not in self._kept))
        fresh = dict(zip(new, services.engine.embed(new), strict=True)) if new else {}
        with self._lock:
            found = [fresh[text] if text in fresh else self._kept[(key, text)] for text in texts]
            for text, vector in fresh.items():
                self._kept[(key, text)] = vector
            while len(self._kept) > MOST_REMEMBERED:
                self._kept.popitem(last=False)
        return np.stack(found) if found else np.zeros((0, 0), np.float32)


VECTORS = Vectors()
