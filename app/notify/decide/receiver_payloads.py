"""Requests and bulletins: a notification in the shape that each kind of receiver takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.core.errors import InputError
from app.notify.decide.alertmanager_payloads import alert_body, alertmanager_alerts
from app.notify.decide.bulletins import bulletin
from app.notify.decide.webhook_payloads import alert_event_body, rfc3339
from app.notify.decide.webhook_signing import signed
from app.notify.domain.alert_facts import alerts_in
from app.notify.domain.notification import Bulletin, Notification, Outgoing, Receiver

STATE_VERBS = ("firing", "resolved")
"""The verbs whose notifications hold `AlertFacts`; what people do to an alert (acknowledge) are plain events."""

JSON_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "Bellwether"}
RESEND_MS = 60_000
"""The time after which an Alertmanager is sent an alert again."""

RESOLVED_RESEND_MS = 5 * 60_000
LASTS_MS = 4 * RESEND_MS
"""The time for which an Alertmanager holds an alert that it hears nothing more of, as with Prometheus."""


def wants(receiver: Receiver, *, noun: str, verb: str) -> bool:
    """Return True if a receiver takes `noun.verb`: it is active, its kind can carry it, and its list names it.

    The list holds `alert.firing`, `alert.*` and the like; an empty list means everything.
    """
    is_listed = not receiver.verbs or f"{noun}.{verb}" in receiver.verbs or f"{noun}.*" in receiver.verbs
    return receiver.is_active and is_listed and _can_carry(receiver, noun=noun, verb=verb)


def prepare(
    receiver: Receiver, *, notification: Notification, at_s: int, base_url: str = "", locale: str = "en"
) -> Outgoing | Bulletin:
    """Return the request or bulletin; only `webhook-timestamp` and signature differ between attempts.

    A notification's body holds `AlertFacts` for alerts and digests, `event_body` for the rest. `at_s` is the time of
    this attempt. Raises InputError `receiver_cannot_tell` for a kind of receiver that cannot carry it.
    """
    if not _can_carry(receiver, noun=notification.noun, verb=notification.verb):
        raise InputError("receiver_cannot_tell", kind=receiver.kind, noun=notification.noun, verb=notification.verb)
    language = receiver.locale or locale
    if receiver.kind == "apprise":
        return bulletin(receiver, notification=notification, base_url=base_url, locale=language)
    content = _content(receiver, notification=notification, at_s=at_s, base_url=base_url, locale=language)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if receiver.kind == "alertmanager_api":
        return Outgoing(url=receiver.url.rstrip("/") + "/api/v2/alerts", body=body, headers=JSON_HEADERS)
    headers = signed(body, secret=receiver.secret, message_id=notification.dedup_key, at_s=at_s)
    return Outgoing(url=receiver.url, body=body, headers=JSON_HEADERS | headers)


def _content(
    receiver: Receiver, *, notification: Notification, at_s: int, base_url: str, locale: str
) -> Mapping[str, Any] | list[dict[str, Any]]:
    if notification.noun == "receiver":
        return _test(receiver, notification=notification)
    if not (notification.noun == "alert" and notification.verb in STATE_VERBS):
        return notification.body
    first, *others = alerts_in(notification.body)
    if receiver.kind == "alertmanager_api":
        until = at_s * 1000 + LASTS_MS
        return alertmanager_alerts([first, *others], base_url=base_url, lasts_until=until, locale=locale)
    if receiver.kind == "alertmanager":
        is_repeat = notification.body.get("kind") == "repeat"
        return alert_body(
            first, others=others, receiver=receiver.name, base_url=base_url, is_repeat=is_repeat, locale=locale
        )
    at, verb = notification.created_at, notification.verb
    return alert_event_body(first, others=others, verb=verb, at=at, base_url=base_url, locale=locale)


def _test(receiver: Receiver, *, notification: Notification) -> Mapping[str, Any] | list[dict[str, Any]]:
    """Return a message that alarms nobody: for an Alertmanager an empty list of alerts, or a group without any."""
    if receiver.kind == "alertmanager_api":
        return []
    if receiver.kind == "alertmanager":
        return {"version": "4", "status": "resolved", "receiver": receiver.name, "alerts": [], "title": "Test message"}
    return {"type": "receiver.test", "timestamp": rfc3339(notification.created_at), "data": {"name": receiver.name}}


def resend_at(receiver: Receiver, *, notification: Notification, is_open: bool, ended_at: int, now: int) -> int | None:
    """Return when a delivered notification is sent again (ms UTC): an Alertmanager hears of an alert until it is over.

    `is_open`: one of its alerts still fires; `ended_at` is when the last of them ended. A resolved alert is repeated
    for five minutes, so that a restart of the other side does not miss it.
    """
    if receiver.kind != "alertmanager_api" or notification.noun != "alert":
        return None
    is_news = is_open if notification.verb == "firing" else now < ended_at + RESOLVED_RESEND_MS
    return now + RESEND_MS if is_news else None


def _can_carry(receiver: Receiver, *, noun: str, verb: str) -> bool:
    is_alert = noun == "alert" and verb in STATE_VERBS
    if noun == "receiver" or is_alert:
        return True
    return receiver.kind == "apprise" if noun == "digest" else receiver.kind == "webhook"
