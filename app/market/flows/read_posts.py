"""Drafts of posts out of what was pushed, handed in or put into a folder: the way from files into ingest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.core.errors import InputError
from app.core.text.file_rows import Lines, RowFault
from app.market.domain.market import PostDraft
from app.market.sources import feed_process, post_drafts

PostRow = PostDraft | RowFault
"""A draft, or the fault of a row that cannot be used."""


def posts_from_json(payload: object) -> Iterator[PostRow]:
    """Return posts out of an object or an array."""
    return post_drafts.from_json(payload)


def posts_from_file(content: Lines, *, form: str, zone: str = "UTC", now: int | None = None) -> Iterable[PostRow]:
    """Return posts out of a file in this form: `csv`, `jsonl` or, as bytes, `rss`.

    `zone` is meant by times that name none; times after `now` (ms) are left out. Raises InputError `unknown_format`.
    """
    if form == "rss" and isinstance(content, bytes):
        return feed_process.drafts_of(content, zone=zone, now=now)
    if form in ("csv", "jsonl"):
        reader = post_drafts.from_csv if form == "csv" else post_drafts.from_jsonl
        return reader(content, zone=zone, now=now)
    raise InputError("unknown_format", format=form)
