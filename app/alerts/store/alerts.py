"""Alerts: one row an episode of a rule on a subject."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.alerts.domain.alert import OPEN_STATES, Alert
from app.core import paging
from app.core.db import Reads, Transaction, assignments, marks, statement
from app.core.errors import NotFound
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.scope import Condition, joined, listed
from app.core.storage.row_mapping import built


def _alert(row: sqlite3.Row) -> Alert:
    return built(Alert, row, mappings=("observed",), flags=("is_no_data",))


def get(db: Reads, alert_id: int, *, viewer: Viewer | None = None) -> Alert:
    """The alert with this id; raises NotFound, for one of a feed out of the viewer's sight too."""
    alert = _alert(db.got("alert", alert_id))
    seen = None if viewer is None else viewer.feed_ids
    if seen is not None and alert.subject_kind == "feed" and alert.subject_id not in {str(one) for one in seen}:
        raise NotFound(noun="alert", id=alert_id)
    return alert


def _in_sight(viewer: Viewer | None) -> Condition:
    """Alerts on a single feed are for who sees that feed; the others add up the market and are for all."""
    if viewer is None or viewer.feed_ids is None:
        return "", []
    return "(subject_kind <> 'feed' OR CAST(subject_id AS INTEGER) IN (SELECT value FROM json_each(?)))", [
        listed(viewer.feed_ids)
    ]


def page(
    db: Reads,
    *,
    states: Sequence[str] | None = None,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    limit: int = 50,
    after: str | None = None,
    viewer: Viewer | None = None,
) -> Page[Alert]:
    """Alerts in the viewer's sight (None: all), newest episode first."""
    conditions: list[Condition] = [_in_sight(viewer)]
    if states is not None:
        conditions.append(("state IN " + marks(states), list(states)))
    if subject_kind is not None:
        conditions.append(("subject_kind = ?", [subject_kind]))
    if subject_id is not None:
        conditions.append(("subject_id = ?", [subject_id]))
    return paging.newest(db, table="alert", conditions=conditions, make=_alert, limit=limit, after=after)


def open_ones(db: Reads, *, viewer: Viewer | None = None) -> tuple[Alert, ...]:
    """Alerts in the viewer's sight (None: all) that are not over: firing first, then the newest."""
    where, params = joined([("state IN " + marks(OPEN_STATES), list(OPEN_STATES)), _in_sight(viewer)])
    sql = statement("SELECT * FROM alert", where, "ORDER BY state <> 'firing', since_at DESC, id DESC")
    return tuple(_alert(row) for row in db.rows(sql, params))


def of_rule(db: Reads, rule_id: int, *, resolved_after: int | None = None) -> dict[str, Alert]:
    """The episode of each subject of a rule that is open, or was resolved after a time, by subject id."""
    since = 1 << 62 if resolved_after is None else resolved_after
    over = db.rows(
        "SELECT * FROM alert WHERE rule_id = ? AND state = 'resolved' AND resolved_at > ? ORDER BY resolved_at",
        (rule_id, since),
    )
    sql = statement("SELECT * FROM alert WHERE rule_id = ? AND state IN", marks(OPEN_STATES))
    return {row["subject_id"]: _alert(row) for row in [*over, *db.rows(sql, (rule_id, *OPEN_STATES))]}


def of_ids(db: Reads, alert_ids: Iterable[int]) -> tuple[Alert, ...]:
    """These alerts, oldest first."""
    rows = db.rows("SELECT * FROM alert WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (listed(alert_ids),))
    return tuple(_alert(row) for row in rows)


def since(db: Reads, at: int) -> tuple[Alert, ...]:
    """Alerts that fired or were resolved after a time, or fire still, oldest first."""
    rows = db.rows(
        "SELECT * FROM alert WHERE firing_at IS NOT NULL "
        "AND (firing_at > ? OR resolved_at > ? OR state = 'firing') ORDER BY firing_at, id LIMIT 500",
        (at, at),
    )
    return tuple(_alert(row) for row in rows)


def counts(db: Reads, *, viewer: Viewer | None = None) -> dict[str, int]:
    """How many alerts in the viewer's sight (None: all) are in each state."""
    where, params = joined([_in_sight(viewer)])
    sql = statement("SELECT state, count(*) AS n FROM alert", where, "GROUP BY state")
    return {row["state"]: row["n"] for row in db.rows(sql, params)}


def n_firing(db: Reads, viewer: Viewer) -> int:
    """How many alerts in the viewer's sight are firing."""
    return counts(db, viewer=viewer).get("firing", 0)


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
