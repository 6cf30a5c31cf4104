"""The rules that raise alerts."""

from __future__ import annotations

import sqlite3

from app.alerts.domain.alert import Rule
from app.core.db import Reads
from app.core.storage.row_mapping import built


def as_rule(row: sqlite3.Row) -> Rule:
    """Return a rule from its row."""
    return built(Rule, row, flags=("is_active",))


def get(db: Reads, rule_id: int) -> Rule:
    """Return the rule with this id; raise NotFound."""
    return as_rule(db.got("rule", rule_id))


def every(db: Reads) -> tuple[Rule, ...]:
    """Return every rule, by name."""
    return tuple(as_rule(row) for row in db.rows("SELECT * FROM rule ORDER BY name, id"))
