"""Frozen dataclasses out of rows, whose columns have the names of the fields."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
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
    """Build a `kind` from a row; `tuples` and `mappings` are JSON columns, `flags` booleans, `given` other fields."""
    plan = _plan(cast(Any, kind), tuple(row.keys()), tuples=tuples, mappings=mappings, flags=flags)
    values = {name: row[at] if read is None else read(row[at]) for name, at, read in plan if name not in given}
    return kind(**values, **given)


@cache
def _plan(
    kind: Any, columns: tuple[str, ...], *, tuples: tuple[str, ...], mappings: tuple[str, ...], flags: tuple[str, ...]
) -> tuple[tuple[str, int, Callable[[Any], Any] | None], ...]:
    """Return name, column index and converter (None: none) of each field that has a column."""
    readers: dict[str, Callable[[Any], Any]] = dict.fromkeys(tuples, _as_tuple)
    readers |= dict.fromkeys(mappings, _as_mapping) | dict.fromkeys(flags, bool)
    names = (entry.name for entry in fields(kind))
    return tuple((name, columns.index(name), readers.get(name)) for name in names if name in columns)


def _as_tuple(raw: Any) -> tuple[Any, ...]:
    return tuple(json.loads(raw or "[]"))


def _as_mapping(raw: Any) -> Any:
    return json.loads(raw or "{}")
