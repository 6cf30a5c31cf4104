"""Imports that are left out on purpose."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let `import name` fail inside, unless the module is loaded already.

    For libraries that take along what they find installed: sqlite-utils loads pandas, and with it pyarrow, where
    training has brought them, which costs a server a second and 70 MB and serves nothing.
    """
    modules = cast(dict[str, Any], sys.modules)
    is_hidden = name not in modules
    if is_hidden:
        modules[name] = None
    try:
        yield
    finally:
        if is_hidden:
            del modules[name]
