"""The facts of an alert: what a notification keeps of it, from which `notify` makes sentences later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.alerts.domain.alert import Alert, Rule


def alert_facts(
    alert: Alert,
    *,
    rule: Rule,
    subject: str,
    reason: str = "fired",
    stories: Sequence[str] = (),
    ticker: str = "",
    sector: str = "",
) -> dict[str, Any]:
    """What is kept of an alert to tell it later, in no language: JSON of codes, figures and names.

    `subject` is the entity's or topic's name (empty for the whole market), `reason` the transition's, `stories` the
    titles that stand for the news, most telling first (the first five are kept).
    """
    return {
        "alert_id": alert.id,
        "rule_id": rule.id,
        "rule": rule.name,
        "subject_kind": alert.subject_kind,
        "subject_id": alert.subject_id,
        "subject": subject,
        "ticker": ticker,
        "sector": sector,
        "state": alert.state,
        "reason": reason,
        "severity": alert.severity,
        "started_at": alert.started_at,
        "firing_at": alert.firing_at,
        "resolved_at": alert.resolved_at,
        "model": alert.model,
        "observed": dict(alert.observed),
        "stories": list(stories[:5]),
    }
