"""The statuses of an operation's refusals, derived from its declaration."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from app.web import access

READING = "predictions:make"
SERVER_FAULT = "5XX"


def statuses(
    *,
    rule: str,
    method: str,
    needs: str,
    has_query: bool = False,
    has_body: bool = False,
    is_versioned: bool = False,
    also: Iterable[int] = (),
) -> tuple[int, ...]:
    """Return every 4xx of an operation, in order.

    `is_versioned` means that it checks `If-Match`; `also` are statuses that the other arguments do not imply, such as
    404 for a thing that the body names.
    """
    found = set(also)
    if needs != access.PUBLIC:
        found |= {401, 403}
    if "<" in rule:
        found.add(404)
    if method != "GET":
        found.add(409)
    if method in ("POST", "PATCH") or has_query:
        # A POST or PATCH without a body or query may still carry an Idempotency-Key that cannot be used.
        found.add(422)
    if has_body:
        found |= {413, 415}
    if is_versioned:
        found.add(412)
    if needs == READING:
        found |= {424, 429}
    return tuple(sorted(found))


def described(found: Iterable[int]) -> dict[str, str]:
    """Return statuses with the names of their responses in the document."""
    return {str(status): HTTPStatus(status).name for status in found} | {SERVER_FAULT: "DEFAULT_ERROR"}
