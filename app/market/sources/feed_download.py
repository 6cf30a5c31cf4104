"""Feeds are fetched politely: conditional requests, one size cap, one time limit, public addresses only."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import OutgoingError
from app.core.outgoing.calls import request

_MAX_BYTES, _TIMEOUT_S = 10_000_000, 20
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A fetched document, or status 304 and no body when it has not changed; `url` is where it has moved for good."""

    status: int
    body: bytes
    etag: str | None
    last_modified: str | None
    moved_to: str | None = None


def fetch(
    url: str, *, etag: str | None = None, last_modified: str | None = None, allow_private: bool = False
) -> Fetched:
    """Get `url` unless it is unchanged since `etag` or `last_modified`; at most 10 MB, 20 seconds.

    Raises OutgoingError, with reason `http_status` and the `status` for anything but 2xx and 304.
    """
    asked = {"Accept": _ACCEPT, "If-None-Match": etag or "", "If-Modified-Since": last_modified or ""}
    headers = {name: value for name, value in asked.items() if value and value.isprintable() and value.isascii()}
    answer = request(
        "GET", url, headers=headers, timeout_s=_TIMEOUT_S, max_bytes=_MAX_BYTES, allow_private=allow_private
    )
    if answer.status != 304 and not 200 <= answer.status < 300:
        raise OutgoingError(
            url=url, reason="http_status", status=answer.status, retry_after=answer.headers.get("retry-after", "")
        )
    is_same = answer.status == 304
    return Fetched(
        status=answer.status,
        body=b"" if is_same else answer.body,
        etag=answer.headers.get("etag", etag if is_same else None),
        last_modified=answer.headers.get("last-modified", last_modified if is_same else None),
        moved_to=answer.permanent_url,
    )
