"""Delivery: notifications that are due are sent, tried again on failure, and every attempt is written down."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence

from app.core import changes, clock
from app.core.db import Transaction
from app.core.errors import BellwetherError, Conflict
from app.core.events import history
from app.core.nouns import Plan
from app.core.permissions import SYSTEM, Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.notify.decide.receiver_payloads import RESEND_MS, STATE_VERBS, prepare, resend_at
from app.notify.decide.retry_backoff import retry_at
from app.notify.domain.alert_facts import alerts_in
from app.notify.domain.notification import Attempt, Notification, Receiver, Standing
from app.notify.flows.keep_receivers import RECEIVER
from app.notify.sources.notification_sender import send
from app.notify.store import notifications, receivers

LOG = logging.getLogger(__name__)
LEASE_MS = 120_000
FINAL = ("receiver_cannot_tell", "bad_secret", "bad_apprise_url")
STANDINGS: Registry[Callable[[Services, Sequence[int]], Sequence[Standing]]] = Registry()
"""Looks up the present state of the things with these ids, by noun."""


def deliver_due(services: Services, *, now: int | None = None, limit: int = 20, is_first: bool | None = None) -> int:
    """Send the notifications that are due, each claimed first so that nobody else sends it; return how many arrived.

    `is_first`: True sends only those that nobody has tried yet, False only the others.
    """
    moment = clock.now_ms() if now is None else now
    n_sent = 0
    for notification in notifications.due(services.db, now=moment, limit=limit, is_first=is_first):
        with services.db.transaction() as tx:
            is_mine = notifications.claim(tx, notification.id, now=moment, until=moment + LEASE_MS)
        if is_mine:
            n_sent += int(_delivered(services, notification, now=moment))
    return n_sent


def _delivered(services: Services, notification: Notification, *, now: int) -> bool:
    receiver = receivers.get(services.db, notification.receiver_id)
    earlier_at = notifications.earlier_of_alerts(services.db, notification) if notification.noun == "alert" else None
    if earlier_at is not None and receiver.kind != "alertmanager_api":
        # A receiver hears of a beginning before an end, in whatever order it can be reached.
        with services.db.transaction() as tx:
            notifications.put_off(tx, notification.id, until=max(earlier_at, now) + 1)
        return False
    attempt = _attempted(services, receiver, notification=notification, now=now)
    again_at = _again_at(services, receiver, notification=notification, attempt=attempt, now=now)
    with services.db.transaction() as tx:
        notifications.settle(
            tx,
            notification.id,
            at=now,
            is_delivered=attempt.is_delivered,
            error=attempt.error,
            next_at=again_at,
        )
        if attempt.is_gone and receiver.is_active:
            _switch_off(tx, receiver)
    return attempt.is_delivered


def _switch_off(tx: Transaction, receiver: Receiver) -> None:
    """Never call a receiver again that asked for this."""
    off = {"is_active": False}
    plan = Plan(was=receiver, columns=off, before={"is_active": True}, after=off, verb="gone")
    changes.write(tx, RECEIVER, plan, viewer=SYSTEM)


def _again_at(
    services: Services, receiver: Receiver, *, notification: Notification, attempt: Attempt, now: int
) -> int | None:
    if attempt.is_gone or not receiver.is_active or attempt.error in FINAL:
        return None
    if not attempt.is_delivered and receiver.kind != "alertmanager_api":
        # One attempt is made by now, the one that the claim counted.
        return retry_at(
            notification.n_attempts + 1,
            now=now,
            jitter=random.random(),
            retry_after_ms=attempt.retry_after_ms,
            is_urgent=notification.noun == "alert",
        )
    if notification.noun != "alert" or notification.verb not in STATE_VERBS:
        return None
    told = STANDINGS["alert"](services, [facts.alert_id for facts in alerts_in(notification.body)])
    is_open = any(standing.is_open for standing in told)
    ended_at = max((standing.ended_at or now for standing in told), default=now)
    if not attempt.is_delivered:
        return now + RESEND_MS
    return resend_at(receiver, notification=notification, is_open=is_open, ended_at=ended_at, now=now)


def _attempted(services: Services, receiver: Receiver, *, notification: Notification, now: int) -> Attempt:
    if not receiver.is_active:
        return Attempt(is_delivered=False, error="receiver_off")
    policy = services.policy
    try:
        outgoing = prepare(
            receiver, notification=notification, at_s=now // 1000, base_url=policy.public_url, locale=policy.locale
        )
        return send(outgoing, allow_private=policy.is_fetching_private)
    except BellwetherError as error:
        return Attempt(is_delivered=False, error=error.code)
    except Exception:
        # One that cannot be written must not stop the others; it is tried again like any failure.
        LOG.exception("notification %d could not be sent", notification.id)
        return Attempt(is_delivered=False, error="internal")


def send_again(services: Services, notification_id: int, *, viewer: Viewer) -> Notification:
    """Queue a sent or failed notification once more; raise NotFound, Conflict `still_queued`."""
    with services.db.transaction() as tx:
        notification = notifications.get(tx, notification_id)
        if not notifications.send_again(tx, notification_id, at=clock.now_ms()):
            raise Conflict("still_queued", id=notification_id)
        history.record(
            tx,
            actor=history.of(viewer),
            verb="sent_again",
            noun="receiver",
            noun_id=notification.receiver_id,
            after={"notification_id": notification_id},
        )
        return notifications.get(tx, notification_id)
