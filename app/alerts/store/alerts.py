"""Alerts: one row an episode of a rule on a subject."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, replace

from app.alerts.domain.alert import OPEN_STATES, Alert, AlertFilter
from app.core import paging
from app.core.db import Reads, Transaction, assignments, marks, statement
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.scope import Condition, joined, listed
from app.core.storage.row_mapping import built

EVERY = AlertFilter()


def as_alert(row: sqlite3.Row) -> Alert:
    """Return an alert from its row."""
    return built(Alert, row, mappings=("observed",), flags=("is_no_data",))


def get(db: Reads, alert_id: int) -> Alert:
    """Return the alert with this id; raise NotFound."""
    return as_alert(db.got("alert", alert_id))


def _in_sight(viewer: Viewer | None) -> Condition:
    """Return the condition on alerts in sight: those on a single feed need sight of that feed, all others none."""
    if viewer is None or viewer.feed_ids is None:
        return "", []
    return "(subject_kind <> 'feed' OR CAST(subject_id AS INTEGER) IN (SELECT value FROM json_each(?)))", [
        listed(viewer.feed_ids)
    ]


def page(
    db: Reads, wanted: AlertFilter = EVERY, *, limit: int = 50, after: str | None = None, viewer: Viewer | None = None
) -> Page[Alert]:
    """Return alerts in the viewer's sight (None: all), newest episode first."""
    conditions: list[Condition] = [_in_sight(viewer)]
    if wanted.states is not None:
        conditions.append(("state IN " + marks(wanted.states), list(wanted.states)))
    if wanted.subject_kind is not None:
        conditions.append(("subject_kind = ?", [wanted.subject_kind]))
    if wanted.subject_id is not None:
        conditions.append(("subject_id = ?", [wanted.subject_id]))
    return paging.newest(db, table="alert", conditions=conditions, make=as_alert, limit=limit, after=after)


def open_ones(db: Reads, *, viewer: Viewer | None = None) -> tuple[Alert, ...]:
    """Return the alerts in the viewer's sight (None: all) that are not over: firing first, then the newest."""
    where, params = joined([("state IN " + marks(OPEN_STATES), list(OPEN_STATES)), _in_sight(viewer)])
    sql = statement("SELECT * FROM alert", where, "ORDER BY state <> 'firing', since_at DESC, id DESC")
    return tuple(as_alert(row) for row in db.rows(sql, params))


def of_rule(db: Reads, rule_id: int, *, resolved_after: int | None = None) -> dict[str, Alert]:
    """Return the alert of each subject of a rule that is open, or was resolved after a time, by subject id."""
    since = 1 << 62 if resolved_after is None else resolved_after
    over = db.rows(
        "SELECT * FROM alert WHERE rule_id = ? AND state = 'resolved' AND resolved_at > ? ORDER BY resolved_at",
        (rule_id, since),
    )
    sql = statement("SELECT * FROM alert WHERE rule_id = ? AND state IN", marks(OPEN_STATES))
    return {row["subject_id"]: as_alert(row) for row in [*over, *db.rows(sql, (rule_id, *OPEN_STATES))]}


def of_ids(db: Reads, alert_ids: Iterable[int]) -> tuple[Alert, ...]:
    """Return these alerts, oldest first."""
    rows = db.rows("SELECT * FROM alert WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (listed(alert_ids),))
    return tuple(as_alert(row) for row in rows)


def since(db: Reads, at: int) -> tuple[Alert, ...]:
    """Return alerts that fired or were resolved after a time, or still fire, oldest first."""
    rows = db.rows(
        "SELECT * FROM alert WHERE firing_at IS NOT NULL "
        "AND (firing_at > ? OR resolved_at > ? OR state = 'firing') ORDER BY firing_at, id LIMIT 500",
        (at, at),
    )
    return tuple(as_alert(row) for row in rows)


def counts(db: Reads, *, viewer: Viewer | None = None) -> dict[str, int]:
    """Return the number of alerts in the viewer's sight (None: all) by state."""
    where, params = joined([_in_sight(viewer)])
    sql = statement("SELECT state, count(*) AS n FROM alert", where, "GROUP BY state")
    return {row["state"]: row["n"] for row in db.rows(sql, params)}


def n_firing(db: Reads, viewer: Viewer) -> int:
    """Return the number of firing alerts in the viewer's sight."""
    return counts(db, viewer=viewer).get("firing", 0)


def put(tx: Transaction, alert: Alert, *, is_step: bool) -> Alert:
    """Write an alert, a new one if its id is 0; the version counts the steps of its states, not what was seen since."""
    columns = {name: value for name, value in asdict(alert).items() if name not in ("id", "version")}
    if not alert.id:
        return get(tx, tx.insert("alert", columns))
    if is_step:
        tx.change("alert", alert.id, changes=columns)
        return replace(alert, version=alert.version + 1)
    tx.execute(statement("UPDATE alert SET", assignments(columns), "WHERE id = ?"), (*columns.values(), alert.id))
    return alert
