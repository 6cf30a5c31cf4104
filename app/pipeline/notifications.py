"""Telling: receivers are kept, and what was queued for them is sent, tried again, and written down."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from app import clock
from app.domain.notification import Attempt, Notification, Receiver, ReceiverKind
from app.domain.people import SYSTEM, Viewer
from app.errors import BellwetherError, Conflict, FieldError, InputError
from app.notify.receivers import prepare
from app.notify.send import send
from app.notify.webhooks import new_secret, retry_at
from app.pipeline import history
from app.pipeline.services import Services
from app.store import notifications, receivers

LOG = logging.getLogger(__name__)
LEASE_MS = 120_000

_EDITABLE = frozenset({"name", "url", "verbs", "is_active"})


def deliver_due(services: Services, *, now: int | None = None, limit: int = 20) -> int:
    """Send what is due; how many were delivered. Each is claimed first, so that nobody else sends it meanwhile."""
    moment = clock.now_ms() if now is None else now
    n_sent = 0
    for notification in notifications.due(services.db, now=moment, limit=limit):
        with services.db.transaction() as tx:
            is_mine = notifications.claim(tx, notification.id, now=moment, until=moment + LEASE_MS)
        if is_mine:
            n_sent += int(_delivered(services, notification, now=moment))
    return n_sent


def _delivered(services: Services, notification: Notification, *, now: int) -> bool:
    receiver = receivers.get(services.db, notification.receiver_id)
    attempt = _attempted(services, receiver, notification=notification, now=now)
    # One attempt is made by now, the one that the claim counted.
    again_at = retry_at(
        notification.n_attempts + 1, now=now, jitter=random.random(), retry_after_ms=attempt.retry_after_ms
    )
    is_final = attempt.is_gone or not receiver.is_active or attempt.error in ("receiver_cannot_tell", "bad_secret")
    with services.db.transaction() as tx:
        notifications.settle(
            tx,
            notification.id,
            at=now,
            is_delivered=attempt.is_delivered,
            error=attempt.error,
            next_at=None if is_final else again_at,
        )
        if attempt.is_gone and receiver.is_active:
            receivers.update(tx, receiver.id, changes={"is_active": False})
            history.record(
                tx,
                actor=history.of(SYSTEM),
                verb="gone",
                noun="receiver",
                noun_id=receiver.id,
                before={"is_active": True},
                after={"is_active": False},
            )
    return attempt.is_delivered


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
    """Queue a sent or failed notification once more; raises Conflict `still_queued`."""
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


def add_receiver(
    services: Services, *, viewer: Viewer, name: str, kind: ReceiverKind, url: str, verbs: Sequence[str] = ()
) -> tuple[Receiver, str]:
    """Add a receiver, and the secret that signs what it gets, which is shown once."""
    _check(kind=kind, url=url)
    secret = new_secret()
    with services.db.transaction() as tx:
        receiver_id = receivers.insert(tx, name=name, kind=kind, url=url, verbs=verbs, secret=secret)
        after = {"name": name, "kind": kind}
        history.record(tx, actor=history.of(viewer), verb="created", noun="receiver", noun_id=receiver_id, after=after)
        return receivers.get(tx, receiver_id), secret


def change_receiver(
    services: Services, receiver_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Receiver:
    """Change a receiver; raises NotFound, Stale, InputError."""
    unknown = sorted(set(changes) - _EDITABLE)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    with services.db.transaction() as tx:
        was = receivers.get(tx, receiver_id)
        _check(kind=was.kind, url=str(changes.get("url", was.url)))
        receiver = receivers.update(tx, receiver_id, changes=changes, version=version)
        before = {key: getattr(was, key) for key in changes if key != "url"}
        after = {key: value for key, value in changes.items() if key != "url"}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="receiver",
            noun_id=receiver_id,
            before=before,
            after=after,
        )
        return receiver


def remove_receiver(services: Services, receiver_id: int, *, viewer: Viewer) -> None:
    """Remove a receiver with what is queued for it."""
    with services.db.transaction() as tx:
        was = receivers.get(tx, receiver_id)
        receivers.delete(tx, receiver_id)
        before = {"name": was.name, "kind": was.kind}
        history.record(
            tx, actor=history.of(viewer), verb="deleted", noun="receiver", noun_id=receiver_id, before=before
        )


def _check(*, kind: str, url: str) -> None:
    if kind not in get_args(ReceiverKind):
        raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
    if kind in ("webhook", "alertmanager") and not url.lower().startswith(("http://", "https://")):
        raise InputError("bad_url", fields=[FieldError(pointer="/url", code="bad_url")], url=url)
