"""What is pushed or handed in as drafts of posts: the way from the web and the commands into ingest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from app.market.domain.market import PostDraft
from app.market.sources import post_drafts
from app.market.sources.post_drafts import RowFault

PostRow = PostDraft | RowFault


def posts_from_json(payload: Any) -> Iterator[PostRow]:
    """Posts out of an object or an array; a row that cannot be used becomes a RowFault."""
    return iter(post_drafts.from_json(payload))


def posts_from_lines(lines: Iterable[str], *, kind: Literal["jsonl", "csv"]) -> Iterator[PostRow]:
    """Posts out of lines of JSON or CSV."""
    return iter(post_drafts.from_jsonl(lines) if kind == "jsonl" else post_drafts.from_csv(lines))
