"""The sender of prepared requests (HTTP) and bulletins (Apprise)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.core.errors import FieldError, InputError, OutgoingError
from app.core.outgoing import calls as network
from app.core.outgoing import urls
from app.core.outgoing.library_guard import guarding_calls
from app.notify.domain.notification import Attempt, Bulletin, Outgoing

TIMEOUT_S = 20
MAX_ANSWER_BYTES = 1_000_000
GONE = 410

# Apprise services that write on this machine, and parameters that read a file of it.
_LOCAL = frozenset({"syslog", "rsyslog", "dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows", "blink1"})
_READS_FILES = re.compile(r"file|template|path|attach|cert", re.IGNORECASE)
_ANY_ADDRESS = re.compile(r"(?:json|xml|form)s?://", re.IGNORECASE)
_STATUS = re.compile(r"error=(\d{3})\b")


def send(outgoing: Outgoing | Bulletin, *, allow_private: bool) -> Attempt:
    """Send once and return the outcome; never raises for what the other side does.

    2xx is delivered; 410 asks never to be called again; redirects are not followed and count as failures. `error` is
    a code: `http_503`, `redirected`, `gone`, or the reason of the outgoing call (`timeout`, `unreachable`, …). A
    bulletin that the service did not take is `not_taken`.
    """
    try:
        if isinstance(outgoing, Bulletin):
            return _posted(outgoing, allow_private=allow_private)
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


def checked_apprise(url: str) -> str:
    """Return an Apprise URL that names a service of the network; raise InputError `bad_apprise_url` or `bad_url…`."""
    bare = url.strip()
    try:
        urls.check_characters(bare)
    except urls.BadUrl as fault:
        raise urls.input_error(fault) from None
    _service(bare)
    return bare


def shown_apprise(url: str) -> str:
    """Return an Apprise URL to show, without its secrets and without parameters, which may be passwords."""
    shown = str(_service(url).url(privacy=True))
    # These post to any address: Apprise does not know which part of the path is secret.
    return urls.mask(shown) if _ANY_ADDRESS.match(shown) else shown.partition("?")[0]


def _service(url: str) -> Any:
    # Here and not at the top: it loads 130 services, which an installation without such receivers never needs.
    from apprise import Apprise

    parts = urlsplit(url)
    reads = any(_READS_FILES.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    found = None if reads or parts.scheme.lower() in _LOCAL else Apprise.instantiate(url, suppress_exceptions=True)
    if found is None:
        raise InputError("bad_apprise_url", fields=[FieldError(pointer="/url", code="bad_apprise_url")])
    found.socket_connect_timeout = found.socket_read_timeout = TIMEOUT_S / 2
    return found


def _posted(bulletin: Bulletin, *, allow_private: bool) -> Attempt:
    from apprise import LogCapture, NotifyType

    service = _service(bulletin.url)
    kind = NotifyType.WARNING if bulletin.is_bad else NotifyType.INFO
    listening: Any = LogCapture
    with guarding_calls(allow_private=allow_private), listening(level=logging.WARNING) as log:
        is_taken = bool(service.notify(body=bulletin.text, title=bulletin.title, notify_type=kind))
        said = log.getvalue()
    if is_taken:
        return Attempt(is_delivered=True)
    status = _STATUS.search(said)
    return Attempt(is_delivered=False, error=f"http_{status[1]}" if status else "not_taken")


def _attempt(status: int, *, headers: Mapping[str, str]) -> Attempt:
    if 200 <= status < 300:
        return Attempt(is_delivered=True)
    if status == GONE:
        return Attempt(is_delivered=False, error="gone", is_gone=True)
    error = "redirected" if 300 <= status < 400 else f"http_{status}"
    return Attempt(is_delivered=False, error=error, retry_after_ms=_retry_after_ms(headers))


def _retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """Return `Retry-After` in milliseconds (RFC 9110 §10.2.3); a date counts from the answer's own `Date`."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return int(asked) * 1000
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(round(wait.total_seconds() * 1000), 0)
