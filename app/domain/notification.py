"""What goes out: receivers, notifications, and their attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ReceiverKind = Literal["webhook", "alertmanager", "apprise", "mail"]
NotificationState = Literal["queued", "sending", "sent", "failed"]


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Where notifications go; `secret` signs webhooks (Standard Webhooks, `whsec_…`) and is never shown again."""

    id: int
    name: str
    kind: ReceiverKind
    url: str
    verbs: tuple[str, ...] = ()
    secret: str = ""
    is_active: bool = True
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One thing to tell one receiver, kept until it was told; `dedup_key` is the same on every attempt."""

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
    """A request ready to be sent: what `notify/send.py` does and nothing else."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How sending went: `is_gone` means the receiver asked never to be called again."""

    is_delivered: bool
    error: str | None = None
    is_gone: bool = False
    retry_after_ms: int | None = None
