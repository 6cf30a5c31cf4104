"""Entities: the companies that are watched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.db import Reads, Transaction
from app.core.errors import Conflict
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.market.domain.market import Entity


def _entity(row: sqlite3.Row) -> Entity:
    return built(Entity, row, tuples=("aliases", "ambiguous", "competitors"))


def get(db: Reads, entity_id: int) -> Entity:
    """The entity with this id; raises NotFound."""
    return _entity(db.got("entity", entity_id))


def find_by_ticker(db: Reads, ticker: str) -> Entity | None:
    """The entity of this ticker."""
    row = db.row("SELECT * FROM entity WHERE ticker = ?", (ticker.strip().upper(),))
    return None if row is None else _entity(row)


def every(db: Reads) -> tuple[Entity, ...]:
    """Entities by name."""
    return tuple(_entity(row) for row in db.rows("SELECT * FROM entity ORDER BY name, id"))


def by_ids(db: Reads, entity_ids: Iterable[int]) -> dict[int, Entity]:
    """Entities by id."""
    rows = db.rows("SELECT * FROM entity WHERE id IN (SELECT value FROM json_each(?))", (listed(entity_ids),))
    return {row["id"]: _entity(row) for row in rows}


def stamp(db: Reads) -> tuple[int, int, int]:
    """A value that differs whenever the list of entities does: count, greatest id, sum of versions."""
    row = db.row("SELECT count(*), coalesce(max(id), 0), coalesce(sum(version), 0) FROM entity")
    return (0, 0, 0) if row is None else (row[0], row[1], row[2])


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Add an entity with these columns; raises Conflict when the ticker is taken."""
    try:
        return tx.insert("entity", values)
    except sqlite3.IntegrityError as error:
        raise Conflict("ticker_taken", ticker=str(values.get("ticker", ""))) from error


def update(tx: Transaction, entity_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Entity:
    """Change an entity; raises NotFound, Stale, or Conflict when the ticker is taken."""
    try:
        tx.change("entity", entity_id, changes=changes, version=version)
    except sqlite3.IntegrityError as error:
        raise Conflict("ticker_taken", ticker=str(changes.get("ticker", ""))) from error
    return get(tx, entity_id)


def delete(tx: Transaction, entity_id: int) -> None:
    """Remove an entity; raises Conflict while posts mention it."""
    try:
        tx.execute("DELETE FROM entity WHERE id = ?", (entity_id,))
    except sqlite3.IntegrityError as error:
        raise Conflict("entity_in_use", id=entity_id) from error
