"""Telling of alerts: who is to hear what by now, worked out from the alerts as they are, so that nothing is forgotten.

A transition asks at once; every tick asks again about what still fires. What was silenced, muted by a market-wide alert
or held back in quiet hours is told when that has passed, if it fires then; what was told is never told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from app.alerts.decide.alert_facts import alert_facts
from app.alerts.decide.alert_states import silenced_by
from app.alerts.domain.alert import Alert, Rule, Silence
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
from app.notify.decide.sentences import alerts_in, labels
from app.notify.domain.notification import Receiver, Standing, Telling
from app.notify.store import alert_notifications, notifications, receivers

MOST_TOGETHER = 100


def begun(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, now: int) -> bool:
    """Queue what receivers are to hear of a firing alert by now; whether anything was."""
    known = alert_notifications.known(tx, [alert.id])
    due = [
        (receiver, telling)
        for receiver in receivers.every(tx)
        if receiver.digest_at is None and wants(receiver, noun="alert", verb="firing")
        for telling in alert_routes.begun(alert, receiver=receiver, now=now)
        if telling.key not in known
    ]
    return _queued(tx, services, alert, rule=rule, reason="fired", due=due, now=now)


def ended(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, reason: str, now: int) -> bool:
    """Queue that an alert is over, for those who were told that it began; whether anything was."""
    known = alert_notifications.known(tx, [alert.id])
    due = []
    for receiver in receivers.every(tx):
        began = {alert_routes.key_of(alert, kind=kind, receiver=receiver) for kind in ("firing", "escalation")}
        is_concerned = began & known or not wants(receiver, noun="alert", verb="firing")
        if receiver.digest_at is None and is_concerned and wants(receiver, noun="alert", verb="resolved"):
            due.append((receiver, alert_routes.ended(alert, receiver=receiver)))
    return _queued(tx, services, alert, rule=rule, reason=reason, due=due, now=now)


def _queued(
    tx: Transaction,
    services: Services,
    alert: Alert,
    *,
    rule: Rule,
    reason: str,
    due: Sequence[tuple[Receiver, Telling]],
    now: int,
) -> bool:
    if not due:
        return False
    facts = _facts(tx, services, alert, rule=rule, reason=reason)
    named = labels(facts)
    n_queued = 0
    for receiver, telling in due:
        is_held = (
            alert.severity != "critical" and telling.kind != "resolved" and alert_routes.is_quiet(receiver, now=now)
        )
        if not is_held and alert_routes.matches(receiver, labels=named):
            _queue(tx, alert, receiver=receiver, telling=telling, facts=facts, now=now)
            n_queued += 1
    return n_queued > 0


def _queue(
    tx: Transaction, alert: Alert, *, receiver: Receiver, telling: Telling, facts: dict[str, Any], now: int
) -> None:
    group = alert_routes.group_key(receiver, kind=telling.kind, labels=labels(facts))
    waiting = None if group is None else notifications.collecting(tx, receiver_id=receiver.id, group_key=group)
    if waiting is not None and len(alerts_in(waiting.body)) < MOST_TOGETHER:
        together = [*alerts_in(waiting.body), facts]
        notifications.rewrite(tx, waiting.id, body={**waiting.body, "alerts": together})
        notification_id: int | None = waiting.id
    else:
        notification_id = notifications.insert(
            tx,
            receiver_id=receiver.id,
            verb="resolved" if telling.kind == "resolved" else "firing",
            noun="alert",
            noun_id=alert.id,
            dedup_key=telling.key,
            body={"kind": telling.kind, "alerts": [facts]},
            at=now,
            send_at=now + (receiver.group_wait_ms if group else 0),
            group_key=group,
        )
    if notification_id is not None:
        alert_notifications.insert(
            tx, key=telling.key, alert_id=alert.id, notification_id=notification_id, kind=telling.kind, at=now
        )


def _facts(db: Reads, services: Services, alert: Alert, *, rule: Rule, reason: str) -> dict[str, Any]:
    told = stories_behind(db, alert, viewer=SYSTEM, limit=5)
    entity = companies.get(db, int(alert.subject_id)) if alert.subject_kind == "entity" else None
    return alert_facts(
        alert,
        rule=rule,
        subject=show_market.subject_title(services, alert.subject_kind, alert.subject_id),
        reason=reason,
        stories=[post.title for post in told],
        ticker="" if entity is None else entity.ticker,
        sector="" if entity is None else entity.sector,
    )


def stories_behind(db: Reads, alert: Alert, *, viewer: Viewer, limit: int) -> tuple[Post, ...]:
    """The negative stories that an alert counted, told most often first, within the viewer's feeds."""
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
    """How these alerts stand now, for receivers that are told again until an alert is over."""
    return tuple(
        Standing(is_open=alert.state in ("firing", "recovering"), ended_at=alert.resolved_at)
        for alert in alerts.of_ids(services.db, alert_ids)
    )


def muting(open_ones: Iterable[Alert], *, alert: Alert) -> int | None:
    """The market-wide alert that speaks for this one: while the whole market is in alarm, its parts are not told."""
    if alert.subject_kind == "market":
        return None
    wide = [one.id for one in open_ones if one.subject_kind == "market" and one.state in ("firing", "recovering")]
    return min(wide, default=None)


def follow_up(services: Services, *, now: int | None = None) -> int:
    """Tell of what still fires and was not told yet, is to be told again, or was acknowledged by nobody; how many."""
    moment = clock.now_ms() if now is None else now
    firing = [alert for alert in alerts.open_ones(services.db) if alert.state == "firing"]
    return sum(_followed(services, alert.id, now=moment) for alert in firing) + _digests(services, now=moment)


def _followed(services: Services, alert_id: int, *, now: int) -> bool:
    # Most ticks find nothing to tell: that is found out without holding the database.
    if not _is_anything_due(services.db, alerts.get(services.db, alert_id), now=now):
        return False
    with services.db.transaction() as tx:
        alert = alerts.get(tx, alert_id)
        muted_by = muting(alerts.open_ones(tx), alert=alert)
        if muted_by != alert.muted_by:
            alert = alerts.put(tx, replace(alert, muted_by=muted_by), is_step=False)
        if alert.state != "firing" or muted_by is not None or _silence(tx, alert, now=now) is not None:
            return False
        return begun(tx, services, alert, rule=alert_rules.get(tx, alert.rule_id), now=now)


def _is_anything_due(db: Reads, alert: Alert, *, now: int) -> bool:
    if muting(alerts.open_ones(db), alert=alert) != alert.muted_by:
        return True
    if alert.muted_by is not None or _silence(db, alert, now=now) is not None:
        return False
    known = alert_notifications.known(db, [alert.id])
    return any(
        telling.key not in known
        for receiver in receivers.every(db)
        if receiver.digest_at is None and wants(receiver, noun="alert", verb="firing")
        if alert.severity == "critical" or not alert_routes.is_quiet(receiver, now=now)
        for telling in alert_routes.begun(alert, receiver=receiver, now=now)
    )


def _silence(db: Reads, alert: Alert, *, now: int) -> Silence | None:
    in_force = silences.every(db, at=now)
    return silenced_by(in_force, subject_kind=alert.subject_kind, subject_id=alert.subject_id, now=now)


def _digests(services: Services, *, now: int) -> int:
    due = [receiver for receiver in receivers.every(services.db) if receiver.is_active]
    return sum(
        _digested(services, receiver.id, now=now) for receiver in due if alert_routes.digest_due(receiver, now=now)
    )


def _digested(services: Services, receiver_id: int, *, now: int) -> bool:
    """Queue one summary of everything since the last one; nothing is sent when nothing happened."""
    with services.db.transaction() as tx:
        receiver = receivers.get(tx, receiver_id)
        moment = alert_routes.digest_due(receiver, now=now)
        if moment is None:
            return False
        kept = {rule.id: rule for rule in alert_rules.every(tx)}
        told = [
            _facts(tx, services, alert, rule=kept[alert.rule_id], reason="cleared")
            for alert in alerts.since(tx, receiver.digested_at)
        ]
        told = [facts for facts in told if alert_routes.matches(receiver, labels=labels(facts))]
        receivers.note_digest(tx, receiver_id, at=now)
        if not told:
            return False
        found = notifications.insert(
            tx,
            receiver_id=receiver_id,
            verb="daily",
            noun="digest",
            noun_id=receiver_id,
            dedup_key=f"msg_digest_{receiver_id}_{moment}",
            body={"since": receiver.digested_at, "until": now, "alerts": told},
            at=now,
        )
        return found is not None
