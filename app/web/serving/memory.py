"""Memory that large requests have used goes back to the system, where the C library is glibc.

It would otherwise keep tens of megabytes for each of many arenas, and take ever larger pieces from them.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
MOST_ARENAS = 4
LARGE = 4_194_304
"""Bytes of a piece of memory that is taken from the system, and given back, by itself."""
MOST_FREE = 4 * LARGE


def bound() -> None:
    """Keep little of what is freed; called once, before there are threads."""
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, MOST_ARENAS)
        library.mallopt(_MMAP_THRESHOLD, LARGE)
        library.mallopt(_TRIM_THRESHOLD, MOST_FREE)


def trim() -> None:
    """Give back now what is free: takes some milliseconds, in which other threads go on."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> Any:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
