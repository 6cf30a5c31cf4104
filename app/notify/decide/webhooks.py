"""Standard Webhooks 1.0: signed headers, secrets, and when to try again."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from app.core.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from app.core.errors import InputError

SCHEDULE_MS: tuple[int, ...] = (
    0,
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
)
"""The wait before each attempt, the first at once; after the last one a notification has failed."""

URGENT_MS: tuple[int, ...] = (0, 5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS)
URGENT_AGAIN_MS = 5 * MINUTE_MS
URGENT_FOR = len(URGENT_MS) + 24 * HOUR_MS // URGENT_AGAIN_MS
"""Alerts are tried more often, and for a day: who was out of reach for an hour hears within five minutes."""

JITTER_SHARE = 0.1
LONGEST_MS = 24 * HOUR_MS


def signed(body: bytes, *, secret: str, message_id: str, at_s: int) -> dict[str, str]:
    """The `webhook-id`, `webhook-timestamp` and `webhook-signature` headers of a UTF-8 body sent at `at_s`.

    `message_id` is the same on every attempt. Several secrets with spaces between (a rotation) give as many
    signatures. Without a secret there is no signature. A secret that is not base64 raises InputError `bad_secret`.
    """
    headers = {"webhook-id": message_id, "webhook-timestamp": str(at_s)}
    signatures = [_signature(body, secret=one, message_id=message_id, at_s=at_s) for one in secret.split()]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def new_secret() -> str:
    """A fresh signing secret of 192 random bits, `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def retry_at(
    n_attempts: int, *, now: int, jitter: float, retry_after_ms: int | None = None, is_urgent: bool = False
) -> int | None:
    """When to try again after `n_attempts` attempts, in milliseconds UTC; None when the schedule is used up.

    `jitter` from 0 to 1 lengthens the wait by up to a tenth, so that receivers that came back are not all called at
    once. What the receiver asked for in `Retry-After` is waited for, up to a day.
    """
    if n_attempts >= (URGENT_FOR if is_urgent else len(SCHEDULE_MS)):
        return None
    schedule = URGENT_MS if is_urgent else SCHEDULE_MS
    planned_ms = schedule[n_attempts] if n_attempts < len(schedule) else URGENT_AGAIN_MS
    wait_ms = max(planned_ms, min(retry_after_ms or 0, LONGEST_MS))
    return now + wait_ms + round(wait_ms * JITTER_SHARE * jitter)


def _signature(body: bytes, *, secret: str, message_id: str, at_s: int) -> str:
    try:
        webhook = Webhook(secret)
    except (binascii.Error, EmptyWebhookSecretError, ValueError):
        raise InputError("bad_secret") from None
    return webhook.sign(message_id, datetime.fromtimestamp(at_s, UTC), body.decode())
