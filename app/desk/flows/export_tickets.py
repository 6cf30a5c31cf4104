"""Tickets with what the model said and what people said instead: for tables and for training elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.core import clock
from app.core.permissions import Viewer
from app.core.prediction import Correction, StoredPrediction
from app.core.services import Services
from app.desk.decide import deadlines
from app.desk.domain.ticket import Customer, SlaName, Ticket, TicketFilter
from app.desk.store import customers, inbox_query, messages, queues
from app.desk.store.ticket_filter import by_ids
from app.intents.store import corrections
from app.model.store import predictions
from app.people.store import users

CHUNK = 400


@dataclass(frozen=True, kw_only=True)
class ExportedTicket:
    """A ticket with the predictions of its first message, and the corrections in force on any of its messages.

    `queue` is a slug; `assignee` and the second part of each correction are people's names.
    """

    ticket: Ticket
    sla: SlaName
    queue: str
    assignee: str | None
    customer: Customer | None
    predictions: tuple[StoredPrediction, ...]
    corrections: tuple[tuple[Correction, str | None], ...]


def export(services: Services, chosen: TicketFilter, *, viewer: Viewer) -> Iterator[ExportedTicket]:
    """Yield the tickets of a filter, newest first, read in chunks."""
    db = services.db
    found, slugs = inbox_query.ids(db, chosen, viewer=viewer), queues.slugs(db)
    names = {user.id: user.name for user in users.every(db)}
    for start in range(len(found), 0, -CHUNK):
        chunk = by_ids(db, found[max(start - CHUNK, 0) : start][::-1])
        yield from _chunk(services, chunk, slugs=slugs, names=names)


def _chunk(
    services: Services, chunk: tuple[Ticket, ...], *, slugs: Mapping[int, str], names: Mapping[int, str]
) -> Iterator[ExportedTicket]:
    db, now = services.db, clock.now_ms()
    known = customers.by_ids(db, {ticket.customer_id for ticket in chunk})
    threads = messages.incoming_ids(db, [ticket.id for ticket in chunk])
    said = _predictions(services, threads)
    mended = _corrections(services, threads)
    for ticket in chunk:
        yield ExportedTicket(
            ticket=ticket,
            sla=deadlines.clock(ticket, now=now).name,
            queue=slugs.get(ticket.queue_id, ""),
            assignee=names.get(ticket.assignee_id or 0),
            customer=known.get(ticket.customer_id),
            predictions=tuple(said.get(ticket.id, ())),
            corrections=tuple((one, names.get(one.user_id)) for one in mended.get(ticket.id, ())),
        )


def _predictions(services: Services, threads: Mapping[int, list[int]]) -> Mapping[int, list[StoredPrediction]]:
    firsts = {message_ids[0]: ticket_id for ticket_id, message_ids in threads.items()}
    found: dict[int, list[StoredPrediction]] = {}
    for one in predictions.of_messages(services.db, firsts):
        if not one.prediction.is_shadow:
            found.setdefault(firsts[one.subject_id], []).append(one)
    return found


def _corrections(services: Services, threads: Mapping[int, list[int]]) -> Mapping[int, list[Correction]]:
    owners = {message_id: ticket_id for ticket_id, message_ids in threads.items() for message_id in message_ids}
    found: dict[int, list[Correction]] = {}
    for one in corrections.of_subjects(services.db, subject_kind="message", subject_ids=owners):
        if not one.is_undone:
            found.setdefault(owners[one.subject_id], []).append(one)
    return found
