"""Alerts as pages, the API and the market show them, each within the viewer's sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.alerts.domain.alert import Alert, AlertFilter, Silence
from app.alerts.domain.evidence import Evidence, Remark
from app.alerts.flows import keep_evidence, keep_silences, notify_alerts
from app.alerts.store import alert_feedback, alerts
from app.core.events import event_log
from app.core.events.event import Event
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import Post, SubjectKind
from app.notify.domain.notification import Notification
from app.notify.store import alert_notifications, notifications, receivers
from app.people.store import users

MOST_OF_SUBJECT = 50
MOST_STORIES = 15


@dataclass(frozen=True, kw_only=True)
class AlertRecord:
    """One alert with its stories, its evidence, and what people and Bellwether did about it.

    `names` are those of people, and `receivers` those of receivers, by id; `silences` keep receivers from hearing of
    its subject.
    """

    stories: Sequence[Post]
    evidence: Evidence | None
    steps: Sequence[Event]
    remark: Remark | None
    silences: Sequence[Silence]
    notifications: Sequence[Notification]
    receivers: Mapping[int, str]
    names: Mapping[int, str]


def open_ones(services: Services, viewer: Viewer | None) -> tuple[Alert, ...]:
    """Return the alerts in the viewer's sight (None: all) that are not over, firing first.

    A viewer who may not read alerts gets none.
    """
    if viewer is not None and not viewer.may("alerts:read"):
        return ()
    return alerts.open_ones(services.db, viewer=viewer)


def of_subject(services: Services, subject_kind: SubjectKind, subject_id: str, viewer: Viewer) -> tuple[Alert, ...]:
    """Return the newest alerts of a subject that the viewer may see."""
    if not viewer.may("alerts:read"):
        return ()
    wanted = AlertFilter(subject_kind=subject_kind, subject_id=subject_id)
    return tuple(alerts.page(services.db, wanted, limit=MOST_OF_SUBJECT, viewer=viewer).items)


def list_alerts(
    services: Services, wanted: AlertFilter, *, viewer: Viewer, limit: int = 50, after: str | None = None
) -> Page[Alert]:
    """Return alerts in the viewer's sight, newest first."""
    return alerts.page(services.db, wanted, viewer=viewer, limit=limit, after=after)


def count_open_by_rule(services: Services) -> Mapping[int, int]:
    """Return the number of alerts that are not over, by the id of their rule."""
    return Counter(alert.rule_id for alert in alerts.open_ones(services.db))


def silencers(services: Services, silences: Sequence[Silence]) -> dict[int, str]:
    """Return the names of the people who silenced, by id."""
    return users.names(services.db, {silence.user_id for silence in silences})


def show_record(services: Services, alert: Alert, *, viewer: Viewer) -> AlertRecord:
    """Return an alert's record, with the stories of the viewer's feeds alone."""
    db = services.db
    steps = event_log.of(db, "alert", alert.id)
    people = {int(event.actor_id) for event in steps if event.actor_kind == "agent" and event.actor_id.isdigit()}
    in_force = keep_silences.silences_in_force(services)
    return AlertRecord(
        stories=notify_alerts.stories_behind(db, alert, viewer=viewer, limit=MOST_STORIES),
        evidence=keep_evidence.visible_evidence(services, alert.id, viewer=viewer),
        steps=steps,
        remark=alert_feedback.of_alerts(db, [alert.id]).get(alert.id),
        silences=[one for one in in_force if one.subject_id in (None, alert.subject_id)],
        notifications=notifications.of_ids(db, alert_notifications.of_alert(db, alert.id)),
        receivers={one.id: one.name for one in receivers.every(db)},
        names=users.names(db, people | ({alert.acknowledged_by} if alert.acknowledged_by else set())),
    )
