"""Actions of people on alerts: acknowledge one, call it useful or a false alarm, report one that was missed."""

from __future__ import annotations

import sqlite3

from app.alerts.domain.alert import Alert
from app.alerts.domain.evidence import Remark
from app.alerts.store import alert_feedback, alerts
from app.core import changes, clock
from app.core.db import Reads
from app.core.errors import Conflict, FieldError, InputError, NotFound
from app.core.events import history
from app.core.nouns import Changed, Noun, Plan
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import SubjectKind

LONGEST_NOTE = 1000


class AlertNoun(Noun[Alert]):
    """Alerts; rules raise and resolve them, and people edit none of their fields."""

    name = "alert"
    permission = "alerts:write"
    fields = frozenset()

    def make(self, row: sqlite3.Row) -> Alert:
        """Return an alert from its row."""
        return alerts.as_alert(row)

    def see(self, db: Reads, row: Alert, viewer: Viewer) -> None:
        """Raise NotFound for an alert on a feed out of the viewer's sight; all others are for everybody."""
        if row.subject_kind == "feed" and not viewer.sees_feed(int(row.subject_id)):
            raise NotFound(noun="alert", id=row.id)


ALERT = AlertNoun()


def acknowledge(services: Services, alert_id: int, *, viewer: Viewer, note: str = "") -> Changed[Alert]:
    """Write down who looks after an alert and what they do; the first person counts.

    Raises NotFound, Conflict `alert_over`.
    """
    with services.db.transaction() as tx:
        was = ALERT.get(tx, alert_id, viewer=viewer)
        if was.acknowledged_at is not None:
            return Changed(row=was)
        if was.state in ("resolved", "inactive"):
            raise Conflict("alert_over", id=alert_id)
        said = note.strip()[:LONGEST_NOTE]
        by = {"acknowledged_by": viewer.user_id}
        columns = {**by, "acknowledged_at": clock.now_ms(), "acknowledged_note": said}
        after = {**by, "note": said, "subject_id": was.subject_id, "subject_kind": was.subject_kind}
        plan = Plan(was=was, columns=columns, before={}, after=after, verb="acknowledged")
        return changes.write(tx, ALERT, plan, viewer=viewer)


def judge(services: Services, alert_id: int, *, viewer: Viewer, remark: Remark, comment: str = "") -> Alert:
    """Write down that an alert was useful or a false alarm; the measured rate counts each person's last word."""
    user_id = viewer.person_id(permission="alerts:write")
    with services.db.transaction() as tx:
        alert = ALERT.get(tx, alert_id, viewer=viewer)
        alert_feedback.put(
            tx,
            kind=remark,
            alert_id=alert_id,
            subject_kind=alert.subject_kind,
            subject_id=alert.subject_id,
            occurred_at=alert.firing_at or alert.started_at,
            user_id=user_id,
            comment=comment.strip()[:LONGEST_NOTE],
            at=clock.now_ms(),
        )
        after = {"remark": remark, "subject_id": alert.subject_id, "subject_kind": alert.subject_kind}
        history.record(tx, actor=history.of(viewer), verb="judged", noun="alert", noun_id=alert_id, after=after)
        return alert


def report_missed(
    services: Services, *, viewer: Viewer, subject_kind: SubjectKind, subject_id: str, at: int, comment: str
) -> None:
    """Write down bad news that no rule raised an alert on; raise InputError for a time to come."""
    user_id, now = viewer.person_id(permission="alerts:write"), clock.now_ms()
    if at > now:
        raise InputError(fields=[FieldError(pointer="/at", code="future")])
    with services.db.transaction() as tx:
        alert_feedback.put(
            tx,
            kind="missed",
            alert_id=None,
            subject_kind=subject_kind,
            subject_id=subject_id,
            occurred_at=at,
            user_id=user_id,
            comment=comment.strip()[:LONGEST_NOTE],
            at=now,
        )
