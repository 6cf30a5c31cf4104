"""Pages of lists, with an opaque cursor that leads to the next one."""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.db import Reads, statement
from app.core.errors import InputError
from app.core.scope import Condition, joined

T = TypeVar("T")

MOST_COUNTED = 10_000


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list; `total` stops at 10,000 (`is_capped`), because counting further costs too much."""

    items: tuple[T, ...]
    has_more: bool
    after: str | None
    total: int
    is_capped: bool = False


def cursor(*keys: Any) -> str:
    """Return the sort key of a row as an opaque URL-safe text."""
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def keys(after: str, *, n: int) -> list[Any]:
    """Return the sort key of a cursor; raises InputError for one that was not made here."""
    try:
        found = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (binascii.Error, ValueError) as error:
        raise InputError("bad_cursor") from error
    if not isinstance(found, list) or len(found) != n or not all(isinstance(key, int | str) for key in found):
        raise InputError("bad_cursor")
    return found


def total(db: Reads, *, table: str, conditions: Sequence[Condition]) -> int:
    """Return the number of rows that meet the conditions, at most 10,000."""
    where, params = joined(list(conditions))
    sql = statement("SELECT count(*) FROM (SELECT 1 FROM", table, where, "LIMIT ?)")
    return int(db.value(sql, [*params, MOST_COUNTED]))


def paged(
    db: Reads,
    *,
    table: str,
    conditions: Sequence[Condition],
    order: str,
    beyond: Condition,
    make: Callable[[sqlite3.Row], T],
    key: Callable[[sqlite3.Row], Sequence[Any]],
    limit: int,
) -> Page[T]:
    """Return one page in a given order; `beyond` is the condition for rows after the cursor."""
    where, params = joined([*conditions, beyond])
    rows = db.rows(statement("SELECT * FROM", table, where, "ORDER BY", order, "LIMIT ?"), [*params, limit + 1])
    kept, has_more = rows[:limit], len(rows) > limit
    n_total = total(db, table=table, conditions=conditions)
    return Page(
        items=tuple(make(row) for row in kept),
        has_more=has_more,
        after=cursor(*key(kept[-1])) if has_more else None,
        total=n_total,
        is_capped=n_total >= MOST_COUNTED,
    )


def newest(
    db: Reads,
    *,
    table: str,
    conditions: Sequence[Condition],
    make: Callable[[sqlite3.Row], T],
    limit: int,
    after: str | None,
) -> Page[T]:
    """Return one page of a table, newest row first."""
    beyond: Condition = ("", []) if after is None else ("id < ?", keys(after, n=1))
    return paged(
        db,
        table=table,
        conditions=conditions,
        order="id DESC",
        beyond=beyond,
        make=make,
        key=lambda row: (row["id"],),
        limit=limit,
    )
