"""Answers kept for texts seen before: bounded, least recently used first out.

A key is a digest of the normalised text, its target, the artifact and the tasks, so that a long text costs no more
room than a short one; a value is the row of logits, from which every decision is made anew in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from models.text import Normalised


@dataclass(frozen=True)
class Row:
    """The logits of one input, task beside task, with its tokens and those of them that were read."""

    logits: NDArray[np.float32]
    n_tokens: int
    n_used: int


def key(ready: Normalised, *, artifact: str, tasks: tuple[str, ...]) -> bytes:
    """Return the key of a normalised text with its target, for an artifact (by SHA-256) and the tasks of one pass."""
    digest = blake2b(ready.text.encode(), digest_size=16)
    digest.update(repr((ready.spans, artifact, tasks)).encode())
    return digest.digest()


class Cache:
    """A cache of at most `size` rows for all threads; size 0 keeps nothing."""

    def __init__(self, *, size: int) -> None:
        self._rows: LRUCache[bytes, Row] = LRUCache(size)
        self._lock = Lock()
        self.n_hits = 0
        self.n_misses = 0

    def get(self, wanted: bytes) -> Row | None:
        """Return the row of a key, or None."""
        with self._lock:
            row = self._rows.get(wanted)
            if row is None:
                self.n_misses += 1
                return None
            self.n_hits += 1
            return row

    def put(self, wanted: bytes, *, row: Row) -> None:
        """Keep a row; the least recently used one makes room."""
        with self._lock:
            if self._rows.maxsize:
                self._rows[wanted] = row
