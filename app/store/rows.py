"""From rows to frozen dataclasses: columns carry the names of the fields."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


def built(
    kind: type[T],
    row: sqlite3.Row,
    *,
    tuples: tuple[str, ...] = (),
    mappings: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    **given: Any,
) -> T:
    """A `kind` of a row; `tuples` and `mappings` are JSON columns, `flags` booleans, `given` fields made elsewhere."""
    values = {
        name: _value(row[name], name, tuples=tuples, mappings=mappings, flags=flags)
        for name in _present(cast(Any, kind), tuple(row.keys()))
        if name not in given
    }
    return kind(**values, **given)


@cache
def _present(kind: Any, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in _names(kind) if name in columns)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(kind))


def _value(raw: Any, name: str, *, tuples: tuple[str, ...], mappings: tuple[str, ...], flags: tuple[str, ...]) -> Any:
    if name in flags:
        return bool(raw)
    if name in tuples:
        return tuple(json.loads(raw or "[]"))
    if name in mappings:
        return json.loads(raw or "{}")
    return raw
