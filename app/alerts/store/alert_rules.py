"""Rules: when bad news is an alert."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from app.alerts.domain.alert import Rule
from app.core.db import Reads, Transaction
from app.core.errors import Conflict
from app.core.storage.row_mapping import built


def _rule(row: sqlite3.Row) -> Rule:
    return built(Rule, row, flags=("is_active",))


def get(db: Reads, rule_id: int) -> Rule:
    """The rule with this id; raises NotFound."""
    return _rule(db.got("rule", rule_id))


def every(db: Reads) -> tuple[Rule, ...]:
    """Rules by name."""
    return tuple(_rule(row) for row in db.rows("SELECT * FROM rule ORDER BY name, id"))


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Add a rule with these columns; returns its id."""
    return tx.insert("rule", values)


def update(tx: Transaction, rule_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Rule:
    """Change a rule; raises NotFound or Stale."""
    tx.change("rule", rule_id, changes=changes, version=version)
    return get(tx, rule_id)


def delete(tx: Transaction, rule_id: int) -> None:
    """Remove a rule; raises Conflict when it has alerts: then it can only be switched off."""
    try:
        tx.execute("DELETE FROM rule WHERE id = ?", (rule_id,))
    except sqlite3.IntegrityError as error:
        raise Conflict("rule_in_use", id=rule_id) from error
