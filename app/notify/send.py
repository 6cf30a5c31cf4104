"""Sending a prepared request; the only file of this stage that touches the outside."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from app import outgoing as network
from app.domain.notification import Attempt, Outgoing
from app.errors import OutgoingError

TIMEOUT_S = 20
MAX_ANSWER_BYTES = 1_000_000
GONE = 410


def send(outgoing: Outgoing, *, allow_private: bool) -> Attempt:
    """Send once and say how it went; never raises for what the other side does.

    2xx is delivered; 410 asks never to be called again; redirects are not followed and count as failures. `error` is
    a code: `http_503`, `redirected`, `gone`, or the reason of the outgoing call (`timeout`, `unreachable`, …).
    """
    try:
        answer = network.request(
            "POST",
            outgoing.url,
            body=outgoing.body,
            headers=dict(outgoing.headers),
            timeout_s=TIMEOUT_S,
            max_bytes=MAX_ANSWER_BYTES,
            allow_private=allow_private,
        )
    except OutgoingError as error:
        return Attempt(is_delivered=False, error=str(error.params.get("reason", error.code)))
    return _attempt(answer.status, headers=answer.headers)


def _attempt(status: int, *, headers: Mapping[str, str]) -> Attempt:
    if 200 <= status < 300:
        return Attempt(is_delivered=True)
    if status == GONE:
        return Attempt(is_delivered=False, error="gone", is_gone=True)
    error = "redirected" if 300 <= status < 400 else f"http_{status}"
    return Attempt(is_delivered=False, error=error, retry_after_ms=_retry_after_ms(headers))


def _retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """`Retry-After` as milliseconds (RFC 9110 §10.2.3); a date is taken relative to the answer's own `Date`."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return int(asked) * 1000
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(round(wait.total_seconds() * 1000), 0)
