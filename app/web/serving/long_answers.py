"""Answers that are written for as long as their reader takes: so few at once that threads are left for the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, current_app, stream_with_context

from app.core.errors import Overloaded

SHARE = 4
"""One thread in so many may be held by long answers."""
RETRY_S = 15


class LongAnswers:
    """The places for long answers of one process."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self._free = threading.BoundedSemaphore(limit)

    def take(self) -> Callable[[], None]:
        """Take a place; what is returned gives it back, however often it is called. Overloaded where all are taken."""
        if not self._free.acquire(blocking=False):
            raise Overloaded("long_answers_full", limit=self.limit, retry_after=RETRY_S)
        given = threading.Lock()

        def give_back() -> None:
            if given.acquire(blocking=False):
                self._free.release()

        return give_back


def stream(lines: Iterable[str], *, kind: str) -> Response:
    """An answer that holds a place until it is written or given up; Overloaded where all are taken."""
    places: LongAnswers = current_app.extensions["bellwether.long_answers"]
    give_back = places.take()

    def written() -> Iterator[str]:
        try:
            yield from lines
        finally:
            give_back()

    answer = Response(stream_with_context(written()), content_type=kind)
    # Also where not a line is ever asked for.
    answer.call_on_close(give_back)
    return answer


def install(app: Flask) -> None:
    """Places for the long answers of this process."""
    threads = app.extensions["bellwether.settings"].server_threads
    app.extensions["bellwether.long_answers"] = LongAnswers(limit=max(1, threads // SHARE))
