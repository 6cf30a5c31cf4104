"""Lists and versioned things of the API: pages, entity tags, preconditions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema

from app.core.paging import Page
from app.web.api.api_shapes import Json

T = TypeVar("T")
LONGEST_VERSION = 18


def page(found: Page[T], rows: Iterable[Any]) -> Json:
    """Return a page of a list as JSON: its rows, its place, and the address of the next page."""
    meta = {
        "has_more": found.has_more,
        "after_cursor": found.after,
        "total": found.total,
        "is_capped": found.is_capped,
    }
    return {"data": list(rows), "meta": meta, "links": {"next": _next(found.after)}}


def whole(rows: Iterable[Any]) -> Json:
    """Return a list as JSON that is never paged."""
    data = list(rows)
    meta = {"has_more": False, "after_cursor": None, "total": len(data), "is_capped": False}
    return {"data": data, "meta": meta, "links": {"next": None}}


def _next(after: str | None) -> str | None:
    if after is None:
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
    return f"{request.path}?{urlencode([*kept, ('after', after)])}"


def tagged(shape: type[Schema], found: Any, *, version: int, status: int = 200) -> Response:
    """Return the answer with a thing and its version as entity tag; 304 where the caller has this version."""
    body = json.dumps(_made(shape).dump(found), ensure_ascii=False)
    answer = Response(body + "\n", status=status, content_type="application/json")
    answer.set_etag(str(version))
    if request.method == "GET":
        answer.make_conditional(request)
    return answer


@cache
def _made(shape: type[Schema]) -> Schema:
    # A schema copies all of its fields when it is made, which takes longer than writing a ticket with it.
    return shape()


def expected_version() -> int | None:
    """Return the version in `If-Match`; None without one or with `*`, -1 for a tag that was not made here."""
    tags = request.if_match
    if not request.headers.get("If-Match") or tags.star_tag:
        return None
    for tag in tags.as_set():
        # A tag without letters comes as None.
        if tag and tag.isascii() and tag.isdigit() and len(tag) <= LONGEST_VERSION:
            return int(tag)
    return -1
