"""Outcomes of suggested macros and drafts (sent unchanged, changed, turned down), from which later offers learn."""

from __future__ import annotations

from typing import Literal

from app.answers.decide.macro_matching import fill, verdict
from app.answers.domain import Macro, Outcome, Verdict
from app.answers.store import macros, suggestion_outcomes
from app.core import clock
from app.core.db import Transaction
from app.core.errors import FieldError, InputError
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.domain.ticket import Ticket
from app.desk.flows.replies.suggest_answer import placeholder_values
from app.desk.store import customers, tickets

Kind = Literal["macro", "draft"]


def macro_sent(tx: Transaction, ticket: Ticket, *, macro: Macro, body: str, message_id: int, viewer: Viewer) -> None:
    """A macro's text went into a reply: count it, and keep how much of it was changed."""
    values = placeholder_values(ticket, customer=customers.get(tx, ticket.customer_id), viewer=viewer)
    found, kept = verdict(body, offered=fill(macro, values=values).text)
    macros.count_used(tx, macro.id)
    _keep(tx, ticket, kind="macro", macro_id=macro.id, found=found, kept=kept, message_id=message_id, viewer=viewer)


def draft_sent(tx: Transaction, ticket: Ticket, *, offered: str, body: str, message_id: int, viewer: Viewer) -> None:
    """A draft went into a reply: keep how much of it was changed."""
    found, kept = verdict(body, offered=offered)
    _keep(tx, ticket, kind="draft", macro_id=None, found=found, kept=kept, message_id=message_id, viewer=viewer)


def turn_down(services: Services, ticket_id: int, *, viewer: Viewer, kind: str, macro_id: int | None = None) -> None:
    """Say that a suggestion does not help with a ticket; raises NotFound, InputError."""
    if kind not in ("macro", "draft") or (kind == "macro") != (macro_id is not None):
        raise InputError("invalid_input", fields=[FieldError(pointer="/kind", code="invalid")])
    with services.db.transaction() as tx:
        ticket = tickets.get(tx, ticket_id, viewer=viewer)
        if macro_id is not None:
            macros.get(tx, macro_id)
        chosen: Kind = "macro" if macro_id is not None else "draft"
        _keep(tx, ticket, kind=chosen, macro_id=macro_id, found="rejected", kept=0.0, message_id=None, viewer=viewer)


def _keep(
    tx: Transaction,
    ticket: Ticket,
    *,
    kind: Kind,
    macro_id: int | None,
    found: Verdict,
    kept: float,
    message_id: int | None,
    viewer: Viewer,
) -> None:
    suggestion_outcomes.insert(
        tx,
        Outcome(
            ticket_id=ticket.id,
            user_id=viewer.user_id,
            kind=kind,
            macro_id=macro_id,
            intent=ticket.intent or "",
            verdict=found,
            kept=kept,
            message_id=message_id,
            at=clock.now_ms(),
        ),
    )
