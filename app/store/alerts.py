"""Alerts: one row an episode of a rule on a subject."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.alert import OPEN_STATES, Alert
from app.store import pages
from app.store.db import Reads, Transaction, assignments, marks, statement
from app.store.pages import Page
from app.store.rows import built
from app.store.scope import Condition


def _alert(row: sqlite3.Row) -> Alert:
    return built(Alert, row, mappings=("observed",), flags=("is_no_data",))


def get(db: Reads, alert_id: int) -> Alert:
    """The alert with this id; raises NotFound."""
    return _alert(db.got("alert", alert_id))


def page(
    db: Reads,
    *,
    states: Sequence[str] | None = None,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[Alert]:
    """Alerts, newest episode first."""
    conditions: list[Condition] = []
    if states is not None:
        conditions.append(("state IN " + marks(states), list(states)))
    if subject_kind is not None:
        conditions.append(("subject_kind = ?", [subject_kind]))
    if subject_id is not None:
        conditions.append(("subject_id = ?", [subject_id]))
    return pages.newest(db, table="alert", conditions=conditions, make=_alert, limit=limit, after=after)


def open_ones(db: Reads) -> tuple[Alert, ...]:
    """Alerts that are not over: firing first, then the newest."""
    sql = statement(
        "SELECT * FROM alert WHERE state IN", marks(OPEN_STATES), "ORDER BY state <> 'firing', since_at DESC, id DESC"
    )
    return tuple(_alert(row) for row in db.rows(sql, OPEN_STATES))


def of_rule(db: Reads, rule_id: int) -> dict[str, Alert]:
    """The open episode of each subject of a rule, by subject id."""
    sql = statement("SELECT * FROM alert WHERE rule_id = ? AND state IN", marks(OPEN_STATES))
    return {row["subject_id"]: _alert(row) for row in db.rows(sql, (rule_id, *OPEN_STATES))}


def counts(db: Reads) -> dict[str, int]:
    """How many alerts are in each state."""
    return {row["state"]: row["n"] for row in db.rows("SELECT state, count(*) AS n FROM alert GROUP BY state")}


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Begin an episode with these columns; returns its id."""
    return tx.insert("alert", values)


def update(tx: Transaction, alert_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Alert:
    """Change an alert; raises NotFound or Stale."""
    tx.change("alert", alert_id, changes=changes, version=version)
    return get(tx, alert_id)


def note(tx: Transaction, alert_id: int, *, changes: Mapping[str, Any]) -> None:
    """Write down what an evaluation saw; that is no edit, so the version stays."""
    tx.execute(statement("UPDATE alert SET", assignments(changes), "WHERE id = ?"), (*changes.values(), alert_id))
