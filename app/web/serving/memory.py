"""Giving the memory of large requests back to the system, with the C library glibc.

By default glibc keeps tens of megabytes for each of many arenas, and raises its thresholds with every large piece.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
MOST_ARENAS = 4
LARGE = 4_194_304
"""Bytes from which on a piece of memory is mapped and unmapped by itself."""
MOST_FREE = 4 * LARGE


def bound() -> None:
    """Limit the freed memory that is kept; called once, before there are threads."""
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, MOST_ARENAS)
        library.mallopt(_MMAP_THRESHOLD, LARGE)
        library.mallopt(_TRIM_THRESHOLD, MOST_FREE)


def trim() -> None:
    """Give free memory back now: it takes milliseconds, in which other threads go on."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> Any:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
