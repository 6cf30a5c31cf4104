"""One row a ticket, with what the model said and what people said instead: for tables and for training elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.core import clock
from app.core.permissions import Viewer
from app.core.prediction import Correction, StoredPrediction
from app.core.services import Services
from app.desk.decide import deadlines
from app.desk.domain.ticket import Ticket, TicketFilter
from app.desk.store import customers, inbox_query, messages, queues
from app.desk.store.ticket_filter import by_ids
from app.intents.store import corrections
from app.model.store import predictions
from app.people.store import users

CHUNK = 400
PLAIN = (
    "id", "external_id", "subject", "channel", "status", "priority", "language", "needs_person", "intent",
    "intent_probability", "intent_band", "intent_source", "sentiment", "sentiment_score", "emotion", "n_messages",
    "created_at", "updated_at", "first_response_due_at", "first_responded_at", "resolution_due_at", "solved_at",
)  # fmt: skip


def rows(services: Services, chosen: TicketFilter, *, viewer: Viewer) -> Iterator[dict[str, Any]]:
    """The tickets of a filter as flat rows, newest first, read in chunks; times in milliseconds UTC.

    `predictions` and `corrections` are lists by task: those of the first message, and those in force on any.
    """
    db = services.db
    found = inbox_query.ids(db, chosen, viewer=viewer)
    slugs = {queue.id: queue.slug for queue in queues.every(db)}
    names = {user.id: user.name for user in users.every(db)}
    for start in range(len(found), 0, -CHUNK):
        chunk = by_ids(db, found[max(start - CHUNK, 0) : start][::-1])
        yield from _chunk(services, chunk, slugs=slugs, names=names)


def _chunk(
    services: Services, chunk: tuple[Ticket, ...], *, slugs: dict[int, str], names: dict[int, str]
) -> Iterator[dict[str, Any]]:
    db, now = services.db, clock.now_ms()
    known = customers.by_ids(db, {ticket.customer_id for ticket in chunk})
    threads = messages.incoming_ids(db, [ticket.id for ticket in chunk])
    firsts = {ids[0]: ticket_id for ticket_id, ids in threads.items()}
    said: dict[int, list[StoredPrediction]] = {}
    for one in predictions.of_messages(db, firsts):
        said.setdefault(firsts[one.subject_id], []).append(one)
    owners = {message_id: ticket_id for ticket_id, ids in threads.items() for message_id in ids}
    mended: dict[int, list[Correction]] = {}
    for correction in corrections.of_subjects(db, subject_kind="message", subject_ids=owners):
        if not correction.is_undone:
            mended.setdefault(owners[correction.subject_id], []).append(correction)
    for ticket in chunk:
        customer = known.get(ticket.customer_id)
        yield {
            **{name: getattr(ticket, name) for name in PLAIN},
            "sla": deadlines.clock(ticket, now=now).name,
            "queue": slugs.get(ticket.queue_id, ""),
            "assignee": names.get(ticket.assignee_id or 0),
            "customer_name": None if customer is None else customer.name,
            "customer_email": None if customer is None else customer.email,
            "customer_tier": None if customer is None else customer.tier,
            "urgency": None if ticket.urgency is None else ticket.urgency.points,
            "tags": list(ticket.tags),
            "predictions": [_prediction(one) for one in said.get(ticket.id, []) if not one.prediction.is_shadow],
            "corrections": [_correction(one, names=names) for one in mended.get(ticket.id, [])],
        }


def _prediction(stored: StoredPrediction) -> dict[str, Any]:
    one = stored.prediction
    return {
        "task": one.task,
        "role": one.role,
        "model": one.model,
        "label": one.label,
        "probability": one.probability,
        "abstained": one.abstained,
        "top": [[scored.label, scored.probability] for scored in one.top],
    }


def _correction(one: Correction, *, names: dict[int, str]) -> dict[str, Any]:
    return {
        "task": one.task,
        "label_before": one.label_before,
        "label": one.label,
        "by": names.get(one.user_id),
        "at": one.created_at,
    }
