"""How often rules were wrong: the budget of the dashboard, what people said, and what was tried on stored history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.alerts.domain.false_alarms import AlarmBudget, RuleCheck
from app.core.db import Reads, Transaction
from app.core.leases import lease_rows
from app.core.storage.row_mapping import built

_FIRED = """SELECT rule_id, count(*) AS n_fired, sum(said IS 'false_alarm') AS n_false,
sum(said IS 'useful') AS n_useful FROM (
    SELECT rule_id, (SELECT kind FROM remark WHERE alert_id = alert.id ORDER BY at DESC, remark.id DESC LIMIT 1) AS said
    FROM alert WHERE firing_at >= ? AND firing_at < ? AND muted_by IS NULL
) GROUP BY rule_id"""


def budget(db: Reads) -> AlarmBudget:
    """What the whole dashboard may raise."""
    return built(AlarmBudget, db.got("alarm_budget", 1))


def set_budget(tx: Transaction, *, a_week: float, version: int | None = None) -> AlarmBudget:
    """Allow so many false alarms a week; raises Stale."""
    tx.change("alarm_budget", 1, changes={"a_week": a_week}, version=version)
    return budget(tx)


def fired(db: Reads, *, since: int, until: int) -> dict[int, Mapping[str, int]]:
    """By rule: the alerts that fired in [since, until) and were not muted, and what was said of them last."""
    return {
        row["rule_id"]: {name: row[name] for name in ("n_fired", "n_false", "n_useful")}
        for row in db.rows(_FIRED, (since, until))
    }


def made_at(db: Reads) -> dict[int, int]:
    """When each rule was made."""
    rows = db.rows(
        "SELECT noun_id, min(at) AS at FROM happened WHERE noun_code = (SELECT id FROM noun WHERE name = 'rule') "
        "AND verb = 'created' GROUP BY noun_id"
    )
    return {row["noun_id"]: row["at"] for row in rows}


def checks(db: Reads) -> dict[int, RuleCheck]:
    """The last try of each rule on stored history, by rule."""
    rows = db.rows("SELECT * FROM rule_check WHERE n_alarms IS NOT NULL")
    return {row["rule_id"]: built(RuleCheck, row) for row in rows}


def claim_check(tx: Transaction, rule_id: int, *, key: str, now: int, lease_ms: int) -> bool:
    """Begin to try a rule, unless it was tried as it is (`key`) or another process is at it; whether it is ours."""
    n_claimed = tx.execute(
        "INSERT INTO rule_check (rule_id, key, claimed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
        "key = excluded.key, claimed_at = excluded.claimed_at, n_alarms = NULL "
        "WHERE key <> excluded.key OR (n_alarms IS NULL AND claimed_at <= ?)",
        (rule_id, key, now, now - lease_ms),
    )
    return lease_rows.hold_claimed(tx, "rule_check", rule_id, until=now + lease_ms, n_claimed=n_claimed)


def put_check(tx: Transaction, check: RuleCheck) -> None:
    """Keep what a rule would have raised."""
    values: dict[str, Any] = {
        name: getattr(check, name) for name in ("since", "until", "n_alarms", "n_subjects", "n_known")
    }
    tx.execute(
        "UPDATE rule_check SET since = ?, until = ?, n_alarms = ?, n_subjects = ?, n_known = ? WHERE rule_id = ?",
        (*values.values(), check.rule_id),
    )
