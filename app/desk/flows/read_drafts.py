"""What arrives, as drafts of tickets: the way from the web into filing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.desk.domain.ticket import TicketDraft
from app.desk.sources import ticket_drafts

LONGEST_ID = ticket_drafts.LONGEST_ID


def ticket_from_json(payload: Mapping[str, Any]) -> TicketDraft:
    """A ticket out of an API body; InputError with the fields at fault."""
    return ticket_drafts.from_json(payload)


def ticket_from_form(fields: Mapping[str, Any]) -> TicketDraft:
    """A ticket out of a form; InputError with the fields at fault."""
    return ticket_drafts.from_form(fields)
