"""Alerts and rules as the market shows and heeds them."""

from __future__ import annotations

from app.alerts.domain.alert import Alert
from app.alerts.store import alert_rules, alerts
from app.core.db import Reads
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import SubjectKind

MOST_OF_SUBJECT = 50


def open_ones(services: Services, viewer: Viewer | None) -> tuple[Alert, ...]:
    """The alerts in the viewer's sight (None: all) that are not over, firing first; none for who may not read them."""
    if viewer is not None and not viewer.may("alerts:read"):
        return ()
    return alerts.open_ones(services.db, viewer=viewer)


def of_subject(services: Services, subject_kind: SubjectKind, subject_id: str, viewer: Viewer) -> tuple[Alert, ...]:
    """The newest alerts of a subject that the viewer may see."""
    if not viewer.may("alerts:read"):
        return ()
    found = alerts.page(
        services.db, subject_kind=subject_kind, subject_id=subject_id, limit=MOST_OF_SUBJECT, viewer=viewer
    )
    return tuple(found.items)


def rules_watching(db: Reads, subject_id: str) -> tuple[str, ...]:
    """The names of the rules that judge this subject alone."""
    return tuple(rule.name for rule in alert_rules.every(db) if rule.subject_id == subject_id)
