"""The only place that asks for the time; tests set it with `frozen`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], int]


def _system_ms() -> int:
    return time.time_ns() // 1_000_000


_clock: Clock = _system_ms


def now_ms() -> int:
    """Return the present time in milliseconds UTC since 1970."""
    return _clock()


@contextmanager
def frozen(at_ms: int) -> Iterator[Callable[[int], None]]:
    """Hold the clock at `at_ms` in every thread; the yielded function advances it by a number of milliseconds."""
    global _clock
    before, held = _clock, [at_ms]

    def stopped() -> int:
        return held[0]

    def advance(by_ms: int) -> None:
        held[0] += by_ms

    _clock = stopped
    try:
        yield advance
    finally:
        _clock = before
