"""Ticket drafts out of API bodies and forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.desk.domain.ticket import TicketDraft
from app.desk.sources import ticket_drafts

LONGEST_ID = ticket_drafts.LONGEST_ID


def ticket_from_json(payload: Mapping[str, Any]) -> TicketDraft:
    """Return the draft in an API body; raises InputError with the fields at fault."""
    return ticket_drafts.from_json(payload)


def ticket_from_form(fields: Mapping[str, Any]) -> TicketDraft:
    """Return the draft in a form; raises InputError with the fields at fault."""
    return ticket_drafts.from_form(fields)
