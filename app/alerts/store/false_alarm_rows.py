"""False alarms: the budget of the dashboard, people's feedback on alerts, and back-tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from app.alerts.domain.false_alarms import AlarmBudget, RuleCheck
from app.core.db import Reads, Transaction
from app.core.leases import lease_rows
from app.core.storage.row_mapping import built

_FIRED = """SELECT rule_id, count(*) AS n_fired, sum(said IS 'false_alarm') AS n_false,
sum(said IS 'useful') AS n_useful FROM (
    SELECT rule_id, (SELECT kind FROM remark WHERE alert_id = alert.id ORDER BY at DESC, remark.id DESC LIMIT 1) AS said
    FROM alert WHERE firing_at >= ? AND firing_at < ? AND muted_by IS NULL
) GROUP BY rule_id"""


def as_budget(row: sqlite3.Row) -> AlarmBudget:
    """Return the budget from its row."""
    return built(AlarmBudget, row)


def budget(db: Reads) -> AlarmBudget:
    """Return the false alarms that the whole dashboard may raise."""
    return as_budget(db.got("alarm_budget", 1))


def fired(db: Reads, *, since: int, until: int) -> dict[int, Mapping[str, int]]:
    """Return, by rule, the alerts that fired in [since, until) unmuted, and the last feedback on them."""
    return {
        row["rule_id"]: {name: row[name] for name in ("n_fired", "n_false", "n_useful")}
        for row in db.rows(_FIRED, (since, until))
    }


def made_at(db: Reads) -> dict[int, int]:
    """Return when each rule was made (ms UTC)."""
    rows = db.rows(
        "SELECT noun_id, min(at) AS at FROM happened WHERE noun_code = (SELECT id FROM noun WHERE name = 'rule') "
        "AND verb = 'created' GROUP BY noun_id"
    )
    return {row["noun_id"]: row["at"] for row in rows}


def checks(db: Reads) -> dict[int, RuleCheck]:
    """Return the last back-test of each rule, by rule."""
    rows = db.rows("SELECT * FROM rule_check WHERE n_alarms IS NOT NULL")
    return {row["rule_id"]: built(RuleCheck, row) for row in rows}


def claim_check(tx: Transaction, rule_id: int, *, key: str, now: int, lease_ms: int) -> bool:
    """Begin a back-test of a rule; return False where it was tried as it is (`key`) or another process is at it."""
    n_claimed = tx.execute(
        "INSERT INTO rule_check (rule_id, key, claimed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
        "key = excluded.key, claimed_at = excluded.claimed_at, n_alarms = NULL "
        "WHERE key <> excluded.key OR (n_alarms IS NULL AND claimed_at <= ?)",
        (rule_id, key, now, now - lease_ms),
    )
    return lease_rows.hold_claimed(tx, "rule_check", rule_id, until=now + lease_ms, n_claimed=n_claimed)


def put_check(tx: Transaction, check: RuleCheck) -> None:
    """Keep the back-test of a rule."""
    counts = (check.n_alarms, check.n_subjects, check.n_known)
    tx.execute(
        "UPDATE rule_check SET since = ?, until = ?, n_alarms = ?, n_subjects = ?, n_known = ? WHERE rule_id = ?",
        (check.since, check.until, *counts, check.rule_id),
    )
