"""Receivers, notifications, and the attempts to send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ReceiverKind = Literal["webhook", "alertmanager", "alertmanager_api", "apprise"]
GroupBy = Literal["alert", "sector", "all"]
NoticeKind = Literal["firing", "repeat", "escalation", "resolved"]
NotificationState = Literal["queued", "sending", "sent", "failed"]
MOST_MATCHERS, LONGEST_VALUE = 20, 200


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """An address that notifications go to, with its route.

    `secret` signs webhooks (Standard Webhooks, `whsec_…`) and is never shown again; an Apprise `url` is a secret too.
    A `webhook` gets Standard Webhooks, `alertmanager` the webhook body that Alertmanager sends, `alertmanager_api` is
    a Prometheus Alertmanager that is fed, and `apprise` is mail, Slack, Teams, Telegram and the like by one URL.

    The route concerns alerts: all `matchers` must hold (`{name, op, value}`, op one of =, !=, =~, !~); alerts of one
    group go out as one message, collected for `group_wait_ms`; one that nobody acknowledged is told again every
    `repeat_ms` (0: never). With `escalate_ms` the receiver hears only of what nobody acknowledged for so long. From
    `quiet_from` to `quiet_until` (minutes of the day in `zone`) only critical alerts are told. With `digest_at` (a
    minute of the day) it hears nothing but one summary a day, of everything since `digested_at`.
    """

    id: int
    name: str
    kind: ReceiverKind
    url: str
    verbs: tuple[str, ...] = ()
    secret: str = ""
    is_active: bool = True
    matchers: tuple[Mapping[str, str], ...] = ()
    group_by: GroupBy = "alert"
    group_wait_ms: int = 0
    repeat_ms: int = 0
    escalate_ms: int = 0
    zone: str = "UTC"
    quiet_from: int | None = None
    quiet_until: int | None = None
    digest_at: int | None = None
    digested_at: int = 0
    locale: str = ""
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One message to one receiver, kept until it is delivered; `dedup_key` is the same on every attempt."""

    id: int
    receiver_id: int
    verb: str
    noun: str
    noun_id: int
    dedup_key: str
    body: Mapping[str, Any] = field(default_factory=dict)
    state: NotificationState = "queued"
    n_attempts: int = 0
    next_at: int = 0
    last_error: str | None = None
    created_at: int = 0
    sent_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A request ready to be sent."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Bulletin:
    """A message for a person, ready to be sent by Apprise: plain text, `is_bad` while something fires."""

    url: str
    title: str
    text: str
    is_bad: bool = True


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing that a receiver is to hear of an alert; its `key` depends on the episode, the kind and the receiver."""

    kind: NoticeKind
    key: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The present state of an alert that receivers heard of: open or not, and when it ended (ms UTC, None: not yet)."""

    is_open: bool
    ended_at: int | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The outcome of one sending: `is_gone` means the receiver asked never to be called again."""

    is_delivered: bool
    error: str | None = None
    is_gone: bool = False
    retry_after_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A past attempt to deliver a notification; `error` is a code."""

    at: int
    is_delivered: bool
    error: str | None
