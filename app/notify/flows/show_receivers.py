"""Receivers and their notifications, as pages and the API show them."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.paging import Page
from app.core.services import Services
from app.notify.domain.notification import Delivery, Notification, Receiver
from app.notify.store import notifications, receivers


def list_receivers(services: Services) -> tuple[Receiver, ...]:
    """Return every receiver with its route, by name."""
    return receivers.every(services.db)


def list_notifications(
    services: Services, receiver_id: int, *, limit: int, after: str | None = None
) -> Page[Notification]:
    """Return the notifications of a receiver, newest first."""
    return notifications.page(services.db, receiver_id=receiver_id, limit=limit, after=after)


def latest_notifications(services: Services, shown: Sequence[Receiver]) -> dict[int, Notification]:
    """Return the newest notification of each receiver that has one, by the id of the receiver."""
    return {one.id: found[0] for one in shown if (found := list_notifications(services, one.id, limit=1).items)}


def get_notification(services: Services, notification_id: int) -> Notification:
    """Return the notification with this id; raise NotFound."""
    return notifications.get(services.db, notification_id)


def list_attempts(services: Services, notification_id: int) -> tuple[Delivery, ...]:
    """Return the attempts to deliver a notification, oldest first; raise NotFound."""
    return notifications.attempts(services.db, notifications.get(services.db, notification_id).id)
