"""Vectors of texts, with a cache for those seen before."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from app.core.services import Services

Matrix = NDArray[np.float32]

MOST_REMEMBERED = 5000


class Vectors:
    """A cache of vectors: articles are quoted, and doubtful texts asked about, far more often than they change."""

    def __init__(self) -> None:
        # By a digest: a text may be as long as a mail.
        self._kept: LRUCache[tuple[int, bytes], NDArray[np.float32]] = LRUCache(MOST_REMEMBERED)
        self._lock = Lock()

    def of(self, services: Services, texts: Sequence[str]) -> Matrix:
        """Return vectors [n, h] of unit length; raise NotReady when there is no search encoder."""
        keys = {
            text: (id(services.engine), blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())
            for text in texts
        }
        with self._lock:
            found = {text: self._kept[key] for text, key in keys.items() if key in self._kept}
        new = [text for text in keys if text not in found]
        if new:
            found.update(zip(new, services.engine.embed(new), strict=True))
            with self._lock:
                self._kept.update((keys[text], found[text]) for text in new)
        return np.stack([found[text] for text in texts]) if texts else np.zeros((0, 0), np.float32)


VECTORS = Vectors()
