"""Vectors of texts, kept for those seen before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from app.core.services import Services

Matrix = NDArray[np.float32]

MOST_REMEMBERED = 5000


class Vectors:
    """Vectors of texts seen before: articles are quoted, and doubts asked about, far more often than they change."""

    def __init__(self) -> None:
        # By a digest: a text may be as long as a mail.
        self._kept: OrderedDict[tuple[int, bytes], NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def of(self, services: Services, texts: Sequence[str]) -> Matrix:
        """Vectors [n, h] of unit length; raises NotReady when there is no search encoder."""
        keys = {
            text: (id(services.engine), blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())
            for text in texts
        }
        with self._lock:
            new = [text for text, key in keys.items() if key not in self._kept]
        fresh = dict(zip(new, services.engine.embed(new), strict=True)) if new else {}
        with self._lock:
            found = [fresh[text] if text in fresh else self._kept[keys[text]] for text in texts]
            for text, vector in fresh.items():
                self._kept[keys[text]] = vector
            while len(self._kept) > MOST_REMEMBERED:
                self._kept.popitem(last=False)
        return np.stack(found) if found else np.zeros((0, 0), np.float32)


VECTORS = Vectors()
