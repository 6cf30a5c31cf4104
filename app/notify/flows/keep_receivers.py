"""Receivers: kept with their routes, tried out with a test message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from zoneinfo import available_timezones

from app.core import clock
from app.core.durations import DAY_MS
from app.core.errors import FieldError, InputError
from app.core.events import history
from app.core.outgoing import urls
from app.core.permissions import Viewer
from app.core.services import Services
from app.notify.decide.alert_routes import (
    DAY_MINUTES,
    LABELS,
    LONGEST_VALUE,
    MOST_MATCHERS,
    checked_matchers,
    parsed_matchers,
)
from app.notify.decide.webhooks import new_secret
from app.notify.domain.notification import GroupBy, Notification, Receiver, ReceiverKind
from app.notify.sources.sending import checked_apprise, shown_apprise
from app.notify.store import notifications, receivers

__all__ = ["LABELS", "LONGEST_VALUE", "MOST_MATCHERS", "add", "change", "matchers_of", "remove", "shown_url", "test"]

_EDITABLE = frozenset(
    {
        "name", "url", "verbs", "is_active", "matchers", "group_by", "group_wait_ms", "repeat_ms", "escalate_ms",
        "zone", "quiet_from", "quiet_until", "digest_at", "locale",
    }
)  # fmt: skip
_SECRET = frozenset({"url", "secret"})
_BOUNDS = {
    "group_wait_ms": DAY_MS,
    "repeat_ms": 30 * DAY_MS,
    "escalate_ms": 7 * DAY_MS,
    "quiet_from": DAY_MINUTES - 1,
    "quiet_until": DAY_MINUTES - 1,
    "digest_at": DAY_MINUTES - 1,
}
_LOCALES = ("", "en", "zh")


def add(
    services: Services, *, viewer: Viewer, name: str, kind: ReceiverKind, url: str, **fields: Any
) -> tuple[Receiver, str]:
    """Add a receiver with the fields of Receiver, and the secret that signs what it gets, which is shown once.

    Raises InputError with the fields at fault.
    """
    if kind not in get_args(ReceiverKind):
        raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
    values = _checked({"name": name, "url": url, **fields}, kind=kind)
    secret, now = new_secret(), clock.now_ms()
    with services.db.transaction() as tx:
        receiver_id = receivers.insert(tx, values={**values, "kind": kind, "secret": secret, "digested_at": now})
        after = {"name": name, "kind": kind}
        history.record(tx, actor=history.of(viewer), verb="created", noun="receiver", noun_id=receiver_id, after=after)
        return receivers.get(tx, receiver_id), secret


def change(
    services: Services, receiver_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Receiver:
    """Change a receiver; raises NotFound, Stale, InputError."""
    with services.db.transaction() as tx:
        was = receivers.get(tx, receiver_id)
        # Who sends back what they were shown means to keep the address.
        given = {key: value for key, value in changes.items() if key != "url" or value != shown_url(was)}
        wanted = _checked(given, kind=was.kind)
        if wanted.get("digest_at") is not None and was.digest_at is None:
            wanted["digested_at"] = clock.now_ms()
        receiver = receivers.update(tx, receiver_id, changes=wanted, version=version)
        told = {key: value for key, value in wanted.items() if key not in _SECRET}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="receiver",
            noun_id=receiver_id,
            before={key: getattr(was, key) for key in told},
            after=told,
        )
        return receiver


def remove(services: Services, receiver_id: int, *, viewer: Viewer) -> None:
    """Remove a receiver with what is queued for it."""
    with services.db.transaction() as tx:
        was = receivers.get(tx, receiver_id)
        receivers.delete(tx, receiver_id)
        before = {"name": was.name, "kind": was.kind}
        history.record(
            tx, actor=history.of(viewer), verb="deleted", noun="receiver", noun_id=receiver_id, before=before
        )


def test(services: Services, receiver_id: int, *, viewer: Viewer) -> Notification:
    """Queue a message that alarms nobody, to see that the receiver is reached."""
    now = clock.now_ms()
    with services.db.transaction() as tx:
        receiver = receivers.get(tx, receiver_id)
        event = history.record(tx, actor=history.of(viewer), verb="tested", noun="receiver", noun_id=receiver_id)
        notification_id = notifications.insert(
            tx,
            receiver_id=receiver.id,
            verb="test",
            noun="receiver",
            noun_id=receiver.id,
            dedup_key=f"msg_test_{event.id}_{receiver.id}",
            body={},
            at=now,
        )
        return notifications.get(tx, notification_id or 0)


def shown_url(receiver: Receiver) -> str:
    """A receiver's address without its secrets: a chat's webhook carries them in its path, Apprise anywhere."""
    return shown_apprise(receiver.url) if receiver.kind == "apprise" else urls.mask(receiver.url)


def matchers_of(text: str) -> tuple[dict[str, str], ...]:
    """Matchers as people write them; raises InputError `bad_matcher`."""
    return parsed_matchers(text)


def _checked(values: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    unknown = sorted(set(values) - _EDITABLE)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    found = dict(values)
    if "url" in found:
        url = str(found["url"])
        found["url"] = checked_apprise(url) if kind == "apprise" else urls.check(url)
    if "matchers" in found:
        found["matchers"] = checked_matchers(found["matchers"])
    faults = [*_out_of_bounds(found), *_unknown(found)]
    if found.get("digest_at") is not None and kind != "apprise":
        faults.append(FieldError(pointer="/digest_at", code="only_apprise"))
    if faults:
        raise InputError(fields=faults)
    return found


def _out_of_bounds(values: Mapping[str, Any]) -> list[FieldError]:
    return [
        FieldError(pointer=f"/{key}", code="too_small" if values[key] < 0 else "too_large")
        for key, most in _BOUNDS.items()
        if values.get(key) is not None and not 0 <= values[key] <= most
    ]


def _unknown(values: Mapping[str, Any]) -> list[FieldError]:
    faults = []
    if "name" in values and not str(values["name"]).strip():
        faults.append(FieldError(pointer="/name", code="empty"))
    if "group_by" in values and values["group_by"] not in get_args(GroupBy):
        faults.append(FieldError(pointer="/group_by", code="unknown_value"))
    if "zone" in values and values["zone"] not in available_timezones():
        faults.append(FieldError(pointer="/zone", code="unknown_zone", params=(("value", str(values["zone"])),)))
    if "locale" in values and values["locale"] not in _LOCALES:
        faults.append(FieldError(pointer="/locale", code="unknown_value"))
    return faults
