"""The search encoder: opened for the first vector, with a bound on the work that may wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from app.core.errors import NotReady, Overloaded
from app.model.engine.workload import Rate, tokens_of
from models.runtime import Runtime

SLICE = 64


class SearchEncoder:
    """The maker of vectors for all threads; `limit` is how many tokens may wait before callers are refused."""

    def __init__(self, open_search: Callable[[], Runtime] | None, *, limit: int) -> None:
        self._open, self._limit = open_search, limit
        self._encoder: Runtime | None = None
        self._opening, self._counting = Lock(), Lock()
        self._n_waiting = 0
        self._rate = Rate()

    def embed(self, texts: Sequence[str], *, is_patient: bool) -> NDArray[np.float32]:
        """Return L2-normalised vectors [n, width]; raise NotReady, and Overloaded unless the caller is patient."""
        encoder = self._opened()
        with self._place(sum(map(tokens_of, texts)), is_patient=is_patient):
            parts = [self._read(encoder, texts[at : at + SLICE]) for at in range(0, len(texts), SLICE)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def _opened(self) -> Runtime:
        with self._opening:
            if self._encoder is None:
                if self._open is None:
                    raise NotReady
                self._encoder = self._open()
            return self._encoder

    @contextmanager
    def _place(self, n_tokens: int, *, is_patient: bool) -> Iterator[None]:
        with self._counting:
            if self._n_waiting >= self._limit and not is_patient:
                raise Overloaded(retry_after=self._rate.seconds_for(self._n_waiting))
            self._n_waiting += n_tokens
        try:
            yield
        finally:
            with self._counting:
                self._n_waiting -= n_tokens

    def _read(self, encoder: Runtime, texts: Sequence[str]) -> NDArray[np.float32]:
        started = monotonic()
        vectors = encoder.embed(texts)
        with self._counting:
            self._rate.add(sum(map(tokens_of, texts)), seconds=monotonic() - started)
        return vectors
