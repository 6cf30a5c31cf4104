"""Entities: the companies that are watched."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads
from app.core.storage.row_mapping import built
from app.market.domain.market import Entity


def as_entity(row: sqlite3.Row) -> Entity:
    """Return a company out of its row."""
    return built(Entity, row, tuples=("aliases", "ambiguous", "competitors"))


def get(db: Reads, entity_id: int) -> Entity:
    """The entity with this id; raises NotFound."""
    return as_entity(db.got("entity", entity_id))


def find_by_ticker(db: Reads, ticker: str) -> Entity | None:
    """The entity of this ticker."""
    row = db.row("SELECT * FROM entity WHERE ticker = ?", (ticker.strip().upper(),))
    return None if row is None else as_entity(row)


def every(db: Reads) -> tuple[Entity, ...]:
    """Entities by name."""
    return tuple(as_entity(row) for row in db.rows("SELECT * FROM entity ORDER BY name, id"))


def stamp(db: Reads) -> tuple[int, int, int]:
    """A value that differs whenever the list of entities does: count, greatest id, sum of versions."""
    row = db.row("SELECT count(*), coalesce(max(id), 0), coalesce(sum(version), 0) FROM entity")
    return (0, 0, 0) if row is None else (row[0], row[1], row[2])
