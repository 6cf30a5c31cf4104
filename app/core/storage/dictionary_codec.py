"""Numbers for values that repeat by the million and are kept once: labels, verdicts, deeds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from app.core.db import Transaction, marks, statement

Key = tuple[Any, ...]


def numbers(tx: Transaction, table: str, columns: tuple[str, ...], keys: Iterable[Key]) -> dict[Key, int]:
    """The number of each combination of these columns; a new one gets the next."""
    look, add = _statements(table, columns)
    found: dict[Key, int] = {}
    for key in keys:
        if key not in found:
            known = tx.value(look, key)
            found[key] = _added(tx, add, key) if known is None else int(known)
    return found


def _added(tx: Transaction, add: str, key: Key) -> int:
    tx.execute(add, key)
    return int(tx.value("SELECT last_insert_rowid()"))


@lru_cache(maxsize=8)
def _statements(table: str, columns: tuple[str, ...]) -> tuple[str, str]:
    wanted = " AND ".join(column + " IS ?" for column in columns)
    return (
        statement("SELECT id FROM", table, "WHERE", wanted),
        statement("INSERT INTO", table, "(" + ", ".join(columns) + ")", "VALUES", marks(columns)),
    )
