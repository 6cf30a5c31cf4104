"""Notifications of alerts: who is to hear what by now, worked out from the alerts as they are, so nothing is forgotten.

A transition asks at once; every tick asks again about what still fires. A notice that was silenced, muted by a
market-wide alert or held back in quiet hours goes out when that has passed, if its alert still fires; none goes twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from app.alerts.decide.alert_states import silenced_by
from app.alerts.domain.alert import Alert, Rule
from app.alerts.store import alert_rules, alerts, silences
from app.core import clock
from app.core.db import Reads, Transaction
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.market.domain.market import Post
from app.market.flows import show_market
from app.market.store import companies, stories
from app.notify.decide import alert_routes
from app.notify.decide.receiver_payloads import wants
from app.notify.domain.alert_facts import AlertFacts
from app.notify.domain.notification import Notice, Receiver, Standing
from app.notify.store import alert_notifications, notifications, receivers

MOST_IN_ONE = 100
MOST_STORIES = 5

Due = Sequence[tuple[Receiver, Notice]]
"""Receivers with what each is to hear."""


def notify_begun(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, now: int) -> bool:
    """Queue the notices of a firing alert that are due by now; return True if there was any."""
    due = _due(tx, alert, now=now)
    return bool(due) and _queue_each(tx, services, alert, rule=rule, reason="fired", due=due, now=now)


def _due(db: Reads, alert: Alert, *, now: int) -> Due:
    """Return the notices of a firing alert that are due and never queued; quiet hours hold all but critical ones."""
    known = alert_notifications.known_keys(db, [alert.id])
    return [
        (receiver, notice)
        for receiver in receivers.every(db)
        if receiver.digest_at is None and wants(receiver, noun="alert", verb="firing")
        if alert.severity == "critical" or not alert_routes.is_quiet(receiver, now=now)
        for notice in alert_routes.begun(alert, receiver=receiver, now=now)
        if notice.key not in known
    ]


def notify_ended(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, reason: str, now: int) -> bool:
    """Queue that an alert is over, for the receivers that heard of its beginning; return True if there was any."""
    known = alert_notifications.known_keys(tx, [alert.id])
    due = []
    for receiver in receivers.every(tx):
        began = {alert_routes.key_of(alert, kind=kind, receiver=receiver) for kind in ("firing", "escalation")}
        is_concerned = began & known or not wants(receiver, noun="alert", verb="firing")
        if receiver.digest_at is None and is_concerned and wants(receiver, noun="alert", verb="resolved"):
            due.append((receiver, alert_routes.ended(alert, receiver=receiver)))
    return bool(due) and _queue_each(tx, services, alert, rule=rule, reason=reason, due=due, now=now)


def _queue_each(
    tx: Transaction, services: Services, alert: Alert, *, rule: Rule, reason: str, due: Due, now: int
) -> bool:
    facts = facts_of(tx, services, alert, rule=rule, reason=reason)
    matching = [one for one in due if alert_routes.matches(one[0], labels=facts.labels)]
    for receiver, notice in matching:
        _queue(tx, facts, receiver=receiver, notice=notice, now=now)
    return bool(matching)


def _queue(tx: Transaction, facts: AlertFacts, *, receiver: Receiver, notice: Notice, now: int) -> None:
    """Queue one notice: in the group that waits for company, or as a notification of its own."""
    group = alert_routes.group_key(receiver, kind=notice.kind, labels=facts.labels)
    waiting = None if group is None else notifications.collecting(tx, receiver_id=receiver.id, group_key=group)
    if waiting is not None and len(waiting.body["alerts"]) < MOST_IN_ONE:
        notifications.rewrite(tx, waiting.id, body={**waiting.body, "alerts": [*waiting.body["alerts"], asdict(facts)]})
        notification_id: int | None = waiting.id
    else:
        notification_id = notifications.insert(
            tx,
            receiver_id=receiver.id,
            verb="resolved" if notice.kind == "resolved" else "firing",
            noun="alert",
            noun_id=facts.alert_id,
            dedup_key=notice.key,
            body={"kind": notice.kind, "alerts": [asdict(facts)]},
            at=now,
            send_at=now + (receiver.group_wait_ms if group else 0),
            group_key=group,
        )
    if notification_id is not None:
        alert_notifications.insert(tx, notice, alert_id=facts.alert_id, notification_id=notification_id, at=now)


def facts_of(db: Reads, services: Services, alert: Alert, *, rule: Rule, reason: str) -> AlertFacts:
    """Return the facts of an alert for a notification; `reason` is that of its transition."""
    company = companies.get(db, int(alert.subject_id)) if alert.subject_kind == "entity" else None
    return AlertFacts(
        alert_id=alert.id,
        rule_id=rule.id,
        rule=rule.name,
        subject_kind=alert.subject_kind,
        subject_id=alert.subject_id,
        subject=show_market.subject_title(services, alert.subject_kind, alert.subject_id),
        ticker="" if company is None else company.ticker,
        sector="" if company is None else company.sector,
        state=alert.state,
        reason=reason,
        severity=alert.severity,
        started_at=alert.started_at,
        firing_at=alert.firing_at,
        resolved_at=alert.resolved_at,
        model=alert.model,
        observed=alert.observed,
        stories=tuple(post.title for post in stories_behind(db, alert, viewer=SYSTEM, limit=MOST_STORIES)),
    )


def stories_behind(db: Reads, alert: Alert, *, viewer: Viewer, limit: int) -> tuple[Post, ...]:
    """Return the negative stories that an alert counted, told most often first, within the viewer's feeds."""
    return stories.negative(
        db,
        subject_kind=alert.subject_kind,
        subject_id=alert.subject_id,
        since=int(alert.observed.get("since", alert.started_at)),
        until=int(alert.observed.get("until", alert.since_at)),
        viewer=viewer,
        limit=limit,
    )


def standings(services: Services, alert_ids: Sequence[int]) -> tuple[Standing, ...]:
    """Return the present state of these alerts, for receivers that are sent an alert again until it is over."""
    return tuple(
        Standing(is_open=alert.state in ("firing", "recovering"), ended_at=alert.resolved_at)
        for alert in alerts.of_ids(services.db, alert_ids)
    )


def muting(open_ones: Iterable[Alert], *, alert: Alert) -> int | None:
    """Return the id of the market-wide alert that mutes this one: it speaks for all parts of the market."""
    if alert.subject_kind == "market":
        return None
    wide = [one.id for one in open_ones if one.subject_kind == "market" and one.state in ("firing", "recovering")]
    return min(wide, default=None)


def follow_up(services: Services, *, now: int | None = None) -> int:
    """Queue the first, repeated and escalated notices of what still fires, and digests; return how many there were."""
    moment = clock.now_ms() if now is None else now
    firing = [alert for alert in alerts.open_ones(services.db) if alert.state == "firing"]
    return sum(_follow(services, alert.id, now=moment) for alert in firing) + _queue_digests(services, now=moment)


def _follow(services: Services, alert_id: int, *, now: int) -> bool:
    # Most ticks find nothing to queue: that is found out without holding the database.
    alert = alerts.get(services.db, alert_id)
    has_new_muting = muting(alerts.open_ones(services.db), alert=alert) != alert.muted_by
    if not has_new_muting and (_is_held(services.db, alert, now=now) or not _due(services.db, alert, now=now)):
        return False
    with services.db.transaction() as tx:
        alert = alerts.get(tx, alert_id)
        muted_by = muting(alerts.open_ones(tx), alert=alert)
        if muted_by != alert.muted_by:
            alert = alerts.put(tx, replace(alert, muted_by=muted_by), is_step=False)
        if alert.state != "firing" or _is_held(tx, alert, now=now):
            return False
        return notify_begun(tx, services, alert, rule=alert_rules.get(tx, alert.rule_id), now=now)


def _is_held(db: Reads, alert: Alert, *, now: int) -> bool:
    """Return True while an alert is muted or silenced."""
    if alert.muted_by is not None:
        return True
    in_force = silences.every(db, at=now)
    found = silenced_by(in_force, subject_kind=alert.subject_kind, subject_id=alert.subject_id, now=now)
    return found is not None


def _queue_digests(services: Services, *, now: int) -> int:
    active = [receiver for receiver in receivers.every(services.db) if receiver.is_active]
    due = [receiver.id for receiver in active if alert_routes.digest_due(receiver, now=now)]
    return sum(_queue_digest(services, receiver_id, now=now) for receiver_id in due)


def _queue_digest(services: Services, receiver_id: int, *, now: int) -> bool:
    """Queue one summary of everything since the last one; return False when nothing happened: nothing is sent then."""
    with services.db.transaction() as tx:
        receiver = receivers.get(tx, receiver_id)
        due_at = alert_routes.digest_due(receiver, now=now)
        if due_at is None:
            return False
        rules = {rule.id: rule for rule in alert_rules.every(tx)}
        told = [
            facts_of(tx, services, alert, rule=rules[alert.rule_id], reason="cleared")
            for alert in alerts.since(tx, receiver.digested_at)
        ]
        told = [facts for facts in told if alert_routes.matches(receiver, labels=facts.labels)]
        receivers.note_digest(tx, receiver_id, at=now)
        if not told:
            return False
        found = notifications.insert(
            tx,
            receiver_id=receiver_id,
            verb="daily",
            noun="digest",
            noun_id=receiver_id,
            dedup_key=f"msg_digest_{receiver_id}_{due_at}",
            body={"since": receiver.digested_at, "until": now, "alerts": [asdict(facts) for facts in told]},
            at=now,
        )
        return found is not None
