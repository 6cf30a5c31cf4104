"""What each kind of receiver is sent: notifications into requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.domain.notification import Notification, Outgoing, Receiver
from app.errors import InputError
from app.notify.messages import alert_body, alert_event_body
from app.notify.webhooks import signed

STATE_VERBS = ("firing", "resolved")
"""What an alert does; their notifications hold `alert_facts`. What people do to it (acknowledged) are plain events."""

JSON_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "Bellwether"}


def wants(receiver: Receiver, *, noun: str, verb: str) -> bool:
    """Whether a receiver is to be told of `noun.verb`: it is active, its kind can tell it, and its list names it.

    The list holds `alert.firing`, `alert.*` and the like; an empty list means everything.
    """
    is_listed = not receiver.verbs or f"{noun}.{verb}" in receiver.verbs or f"{noun}.*" in receiver.verbs
    return receiver.is_active and is_listed and _can_tell(receiver, noun=noun, verb=verb)


def prepare(
    receiver: Receiver, *, notification: Notification, at_s: int, base_url: str = "", locale: str = "en"
) -> Outgoing:
    """The request that tells a receiver; the same bytes on every attempt, only `webhook-timestamp` and signature move.

    A notification's body is `alert_facts` for alerts firing and resolved, `event_body` for the rest.
    `at_s` is the time of this attempt. A kind that cannot tell it raises InputError `receiver_cannot_tell`.
    """
    if not _can_tell(receiver, noun=notification.noun, verb=notification.verb):
        raise InputError("receiver_cannot_tell", kind=receiver.kind, noun=notification.noun, verb=notification.verb)
    content = _content(receiver, notification=notification, base_url=base_url, locale=locale)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = signed(body, secret=receiver.secret, message_id=notification.dedup_key, at_s=at_s)
    return Outgoing(url=receiver.url, body=body, headers=JSON_HEADERS | headers)


def _content(receiver: Receiver, *, notification: Notification, base_url: str, locale: str) -> Mapping[str, Any]:
    facts = notification.body
    if receiver.kind == "alertmanager":
        return alert_body(facts, receiver=receiver.name, base_url=base_url, locale=locale)
    if notification.noun == "alert" and notification.verb in STATE_VERBS:
        at, verb = notification.created_at, notification.verb
        return alert_event_body(facts, verb=verb, at=at, base_url=base_url, locale=locale)
    return facts


def _can_tell(receiver: Receiver, *, noun: str, verb: str) -> bool:
    if receiver.kind == "alertmanager":
        return noun == "alert" and verb in STATE_VERBS
    return receiver.kind == "webhook"
