"""What arrives, as drafts: the way from the web and the commands into ingest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from app.desk.domain.ticket import TicketDraft
from app.desk.sources import ticket_drafts
from app.market.domain.market import PostDraft
from app.market.sources import post_drafts
from app.market.sources.post_drafts import RowFault

PostRow = PostDraft | RowFault
LONGEST_ID = ticket_drafts.LONGEST_ID


def ticket_from_json(payload: Mapping[str, Any]) -> TicketDraft:
    """A ticket out of an API body; InputError with the fields at fault."""
    return ticket_drafts.from_json(payload)


def ticket_from_form(fields: Mapping[str, Any]) -> TicketDraft:
    """A ticket out of a form; InputError with the fields at fault."""
    return ticket_drafts.from_form(fields)


def posts_from_json(payload: Any) -> Iterator[PostRow]:
    """Posts out of an object or an array; a row that cannot be used becomes a RowFault."""
    return iter(post_drafts.from_json(payload))


def posts_from_lines(lines: Iterable[str], *, kind: Literal["jsonl", "csv"]) -> Iterator[PostRow]:
    """Posts out of lines of JSON or CSV."""
    return iter(post_drafts.from_jsonl(lines) if kind == "jsonl" else post_drafts.from_csv(lines))
