"""Values as SQLite keeps them, and names of tables and columns as statements take them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.errors import InputError

LARGEST = 2**63 - 1

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def bindable(value: Any) -> Any:
    """Return a value as SQLite keeps it.

    Booleans become 0 and 1, lists and mappings compact JSON, and half a surrogate pair `?`. Raises InputError for a
    whole number of more than 64 bits.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise InputError("unknown_value", value=value)
        return int(value)
    return bindable(_compact(value)) if isinstance(value, list | tuple | Mapping) else value


def bound(values: Iterable[Any]) -> list[Any]:
    """Return the parameters of a statement."""
    # Every value of every statement passes here, so one that needs no change costs no call.
    return [
        value
        if value is None
        or (kind := type(value)) is float
        or (kind is str and value.isascii())
        or (kind is int and -LARGEST <= value <= LARGEST)
        else bindable(value)
        for value in values
    ]


def identifier(name: str) -> str:
    """Return the name of a table or column; raises InputError for text that came from outside and is none."""
    if not (name.isascii() and name.isidentifier()):
        raise InputError("unknown_field", field=name)
    return name
