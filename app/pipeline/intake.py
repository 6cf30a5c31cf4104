"""What arrives, as drafts: the way from the web and the commands into ingest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from app.domain.market import PostDraft
from app.domain.ticket import TicketDraft
from app.ingest import feeds, tickets
from app.ingest.feeds import RowFault

PostRow = PostDraft | RowFault
LONGEST_ID = tickets.LONGEST_ID


def ticket_from_json(payload: Mapping[str, Any]) -> TicketDraft:
    """A ticket out of an API body; InputError with the fields at fault."""
    return tickets.from_json(payload)


def ticket_from_form(fields: Mapping[str, Any]) -> TicketDraft:
    """A ticket out of a form; InputError with the fields at fault."""
    return tickets.from_form(fields)


def posts_from_json(payload: Any) -> Iterator[PostRow]:
    """Posts out of an object or an array; a row that cannot be used becomes a RowFault."""
    return iter(feeds.from_json(payload))


def posts_from_lines(lines: Iterable[str], *, kind: Literal["jsonl", "csv"]) -> Iterator[PostRow]:
    """Posts out of lines of JSON or CSV."""
    return iter(feeds.from_jsonl(lines) if kind == "jsonl" else feeds.from_csv(lines))
