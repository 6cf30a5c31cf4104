"""Signatures of webhooks by Standard Webhooks 1.0: their headers and secrets."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from app.core.errors import InputError


def signed(body: bytes, *, secret: str, message_id: str, at_s: int) -> dict[str, str]:
    """Return the `webhook-id`, `webhook-timestamp` and `webhook-signature` headers of a UTF-8 body sent at `at_s`.

    `message_id` is the same on every attempt. Several secrets with spaces between (a rotation) give as many
    signatures. Without a secret there is no signature. A secret that is not base64 raises InputError `bad_secret`.
    """
    headers = {"webhook-id": message_id, "webhook-timestamp": str(at_s)}
    signatures = [_signature(body, secret=one, message_id=message_id, at_s=at_s) for one in secret.split()]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def new_secret() -> str:
    """Return a fresh signing secret: `whsec_` and 192 random bits in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def _signature(body: bytes, *, secret: str, message_id: str, at_s: int) -> str:
    try:
        webhook = Webhook(secret)
    except (binascii.Error, EmptyWebhookSecretError, ValueError):
        raise InputError("bad_secret") from None
    return webhook.sign(message_id, datetime.fromtimestamp(at_s, UTC), body.decode())
