"""What each kind of receiver is sent: notifications into requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from app.domain.notification import Notification, Outgoing, Receiver
from app.errors import InputError
from app.notify.messages import alert_body, alert_event_body
from app.notify.webhooks import signed

JSON_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "Bellwether"}

Prepare = Callable[..., Outgoing]


def wants(receiver: Receiver, *, noun: str, verb: str) -> bool:
    """Whether a receiver is to be told of `noun.verb`: it is active, its kind can tell it, and its list names it.

    The list holds `alert.firing`, `alert.*` and the like; an empty list means everything.
    """
    is_listed = not receiver.verbs or f"{noun}.{verb}" in receiver.verbs or f"{noun}.*" in receiver.verbs
    is_tellable = receiver.kind == "webhook" or (receiver.kind == "alertmanager" and noun == "alert")
    return receiver.is_active and is_listed and is_tellable


def prepare(
    receiver: Receiver, *, notification: Notification, at_s: int, base_url: str = "", locale: str = "en"
) -> Outgoing:
    """The request that tells a receiver; the same bytes on every attempt, only `webhook-timestamp` and signature move.

    A notification's body is `alert_facts` for alerts and `event_body` for the rest. `at_s` is the time of this
    attempt. A kind that cannot tell it raises InputError `receiver_cannot_tell`.
    """
    makers: Mapping[str, Prepare] = {"webhook": _webhook, "alertmanager": _alertmanager}
    if receiver.kind not in makers or (receiver.kind == "alertmanager" and notification.noun != "alert"):
        raise InputError("receiver_cannot_tell", kind=receiver.kind, noun=notification.noun, verb=notification.verb)
    return makers[receiver.kind](receiver, notification=notification, at_s=at_s, base_url=base_url, locale=locale)


def _webhook(receiver: Receiver, *, notification: Notification, at_s: int, base_url: str, locale: str) -> Outgoing:
    content: Mapping[str, Any] = notification.body
    if notification.noun == "alert":
        content = alert_event_body(notification.body, at=notification.created_at, base_url=base_url, locale=locale)
    body = _json(content)
    headers = signed(body, secret=receiver.secret, message_id=notification.dedup_key, at_s=at_s)
    return Outgoing(url=receiver.url, body=body, headers=JSON_HEADERS | headers)


def _alertmanager(receiver: Receiver, *, notification: Notification, at_s: int, base_url: str, locale: str) -> Outgoing:
    body = _json(alert_body(notification.body, receiver=receiver.name, base_url=base_url, locale=locale))
    headers = signed(body, secret=receiver.secret, message_id=notification.dedup_key, at_s=at_s)
    return Outgoing(url=receiver.url, body=body, headers=JSON_HEADERS | headers)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
