"""Feedback on alerts: which ones people call useful or false alarms, and which surges no rule raised an alert on."""

from __future__ import annotations

from collections.abc import Iterable

from app.alerts.domain.evidence import Remark
from app.core.db import Reads, Transaction
from app.core.scope import listed

_PUT = """INSERT INTO remark (kind, alert_id, subject_kind, subject_id, occurred_at, user_id, comment, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (alert_id, user_id) WHERE alert_id IS NOT NULL
DO UPDATE SET kind = excluded.kind, comment = excluded.comment, at = excluded.at"""


def put(
    tx: Transaction,
    *,
    kind: Remark,
    alert_id: int | None,
    subject_kind: str,
    subject_id: str,
    occurred_at: int,
    user_id: int,
    comment: str,
    at: int,
) -> None:
    """Keep a person's remark on an alert, in place of their earlier one, or on a surge that was missed."""
    tx.execute(_PUT, (kind, alert_id, subject_kind, subject_id, occurred_at, user_id, comment, at))


def of_alerts(db: Reads, alert_ids: Iterable[int]) -> dict[int, Remark]:
    """Return the newest remark on each alert that has one, by alert id."""
    rows = db.rows(
        "SELECT alert_id, kind FROM remark WHERE alert_id IN (SELECT value FROM json_each(?)) ORDER BY at, id",
        (listed(alert_ids),),
    )
    return {row["alert_id"]: row["kind"] for row in rows}


def counts(db: Reads, *, since: int, until: int) -> dict[Remark, int]:
    """Return the number of alerts, or of missed surges, by remark; `since` ≤ event time < `until`."""
    rows = db.rows(
        "SELECT kind, count(DISTINCT coalesce(alert_id, -id)) AS n FROM remark "
        "WHERE occurred_at >= ? AND occurred_at < ? GROUP BY kind",
        (since, until),
    )
    return {row["kind"]: row["n"] for row in rows}
