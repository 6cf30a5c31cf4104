"""Long answers, written at the pace of their reader: few at once, so that threads are left for other requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, current_app, stream_with_context

from app.core.errors import Overloaded

SHARE = 4
"""Long answers may hold one thread in four."""
RETRY_S = 15


class LongAnswers:
    """The places for long answers of one process."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self._free = threading.BoundedSemaphore(limit)

    def take(self) -> Callable[[], None]:
        """Take a place; returns the function that gives it back, once. Raises Overloaded where all are taken."""
        if not self._free.acquire(blocking=False):
            raise Overloaded("long_answers_full", limit=self.limit, retry_after=RETRY_S)
        given = threading.Lock()

        def give_back() -> None:
            if given.acquire(blocking=False):
                self._free.release()

        return give_back


def stream(lines: Iterable[str], *, kind: str) -> Response:
    """Return an answer that holds a place until it is written or aborted; raises Overloaded where all are taken."""
    places: LongAnswers = current_app.extensions["bellwether.long_answers"]
    give_back = places.take()

    def written() -> Iterator[str]:
        try:
            yield from lines
        finally:
            give_back()

    answer = Response(stream_with_context(written()), content_type=kind)
    # Needed where the generator is never started.
    answer.call_on_close(give_back)
    return answer


def install(app: Flask) -> None:
    """Add the places for the long answers of this process."""
    threads = app.extensions["bellwether.settings"].server_threads
    app.extensions["bellwether.long_answers"] = LongAnswers(limit=max(1, threads // SHARE))
