"""Suggested answers of a ticket: macros, articles and a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.answers.decide.macro_matching import Filled, fill, rank
from app.answers.domain import Draft, Hit, MacroSuggestion
from app.answers.flows import compose_draft, search_articles
from app.answers.store import macros, suggestion_outcomes
from app.core.db import Reads
from app.core.errors import NotReady
from app.core.permissions import Viewer
from app.core.prediction import Prediction, Scored
from app.core.services import Services
from app.desk.domain.ticket import Customer, Ticket
from app.desk.store import customers, messages, tickets
from app.model.store import predictions


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The suggestions for a ticket, best first; a draft without sentences means that no good answer was found."""

    macros: tuple[MacroSuggestion, ...]
    hits: tuple[Hit, ...]
    draft: Draft


def answer(services: Services, ticket_id: int, *, viewer: Viewer) -> Answers:
    """Return macros, articles and a draft for the last message of the customer; raises NotFound.

    Without a search encoder articles are found by their words alone, and there is no draft.
    """
    db = services.db
    ticket = tickets.get(db, ticket_id, viewer=viewer)
    asked = messages.last_incoming(db, ticket_id)
    question = "" if asked is None else asked.text
    values = placeholder_values(ticket, customer=customers.get(db, ticket.customer_id), viewer=viewer)
    intent = _intent(db, ticket)
    tallies = suggestion_outcomes.of_macros(db, intent=None if intent is None else intent.label)
    offered = rank(macros.every(db), intent=intent, values=values, tallies=tallies)
    try:
        vector = services.engine.embed([question])[0] if question else None
    except NotReady:
        vector = None
    hits = search_articles.found(services, question, vector=vector, intent=intent, limit=5)
    return Answers(macros=offered, hits=hits, draft=compose_draft.compose(services, vector, hits=hits))


def fill_macro(
    services: Services, ticket_id: int, *, macro_id: int, viewer: Viewer, given: Mapping[str, str]
) -> Filled:
    """Return a macro's text for a ticket; `given` are the agent's values of placeholders that nothing is known of.

    Raises NotFound. Placeholders without a value are named in `missing` and stay in the text.
    """
    ticket = tickets.get(services.db, ticket_id, viewer=viewer)
    known = placeholder_values(ticket, customer=customers.get(services.db, ticket.customer_id), viewer=viewer)
    return fill(macros.get(services.db, macro_id), values={**given, **known})


def placeholder_values(ticket: Ticket, *, customer: Customer, viewer: Viewer) -> dict[str, str]:
    """Return the values of the placeholders `{{ … }}` of macros."""
    return {
        "customer.name": customer.name,
        "customer.first_name": customer.name.split(" ")[0],
        "agent.name": viewer.name,
        "ticket.number": str(ticket.id),
        "ticket.subject": ticket.subject,
    }


def _intent(db: Reads, ticket: Ticket) -> Prediction | None:
    if ticket.intent_source == "agent" and ticket.intent is not None:
        certain = Scored(label=ticket.intent, probability=1.0)
        task = ticket.intent_task or ""
        return Prediction(
            task=task, role="intent", model="", label=ticket.intent, probability=1.0, top=(certain,), band="high"
        )
    first = messages.first_incoming(db, ticket.id)
    if first is None or ticket.intent_task is None:
        return None
    stored = predictions.latest(db, subject_kind="message", subject_id=first.id, task=ticket.intent_task)
    return None if stored is None else stored.prediction
