"""Importing one ticket of another desk, as it was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import InputError
from app.core.events import history
from app.core.permissions import Viewer
from app.desk.decide import deadlines
from app.desk.domain.import_file import MovedMessage, MovedTicket, TicketFile
from app.desk.domain.ticket import OPEN_STATUSES, Message, Queue, Ticket, TicketDraft
from app.desk.flows import set_deadlines
from app.desk.flows.store_ticket import Texts, preview, texts_of
from app.desk.store import customers, import_files, messages, queues, tickets


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The target of an import: queues by slug and title in lower case, the one for all others, and who imports."""

    by_name: Mapping[str, Queue]
    default: Queue
    file: TicketFile
    viewer: Viewer

    @classmethod
    def of(cls, db: Reads, *, default: int, file: TicketFile, viewer: Viewer) -> Desk:
        """The desk as it is now."""
        every = queues.every(db)
        names = {name.lower(): queue for queue in every for name in (queue.title, queue.slug)}
        return cls(by_name=names, default=queues.get(db, default), file=file, viewer=viewer)

    def queue_of(self, ticket: MovedTicket) -> Queue:
        """The queue that a ticket names, or the one for all others."""
        return self.by_name.get(ticket.queue.lower(), self.default)


@dataclass(frozen=True, kw_only=True)
class _Said:
    message: MovedMessage
    texts: Texts


def put_in(tx: Transaction, ticket: MovedTicket, *, place: Desk) -> bool:
    """Import a ticket; return False for one that is here already. Raises InputError where no text is left."""
    if import_files.known(tx, ticket.external_id):
        return False
    queue = place.queue_of(ticket)
    said = _said(ticket, queue=queue)
    first = next((one for one in said if one.message.kind == "incoming"), said[0])
    now = clock.now_ms()
    known_at = [one.message.at for one in said if one.message.at is not None]
    created_at = min(ticket.created_at or min(known_at, default=now), now)
    updated_at = min(max([created_at, ticket.solved_at or 0, *known_at]), now)
    customer = customers.ensure(
        tx, name=ticket.customer_name or ticket.customer_email or "", email=ticket.customer_email
    )
    arrived = Ticket(
        id=0,
        subject=first.texts.subject,
        channel=ticket.channel,
        status=ticket.status,
        priority=ticket.priority or "normal",
        queue_id=queue.id,
        customer_id=customer.id,
        created_at=created_at,
        updated_at=updated_at,
        external_id=ticket.external_id,
        intent_task=queue.intent_task,
        preview=preview(first.texts.text),
        tags=ticket.tags,
        n_messages=len(said),
    )
    standing = _standing(tx, arrived, solved_at=ticket.solved_at, is_priority_set=ticket.priority is not None, now=now)
    answered_at = _answered_at(said, created_at=created_at)
    ticket_id = tickets.insert(tx, replace(standing, first_responded_at=answered_at)).id
    is_read = ticket.status in OPEN_STATUSES
    message_ids = [_kept(tx, ticket_id, one, created_at=created_at, is_read=is_read, now=now) for one in said]
    history.record(
        tx,
        actor=history.of(place.viewer),
        verb="created",
        noun="ticket",
        noun_id=ticket_id,
        after={"queue_id": queue.id, "message_id": message_ids[0], "moved_from": place.file.source},
        is_announced=False,
    )
    return True


def _said(ticket: MovedTicket, *, queue: Queue) -> list[_Said]:
    """Return the thread as it is stored; messages that only quote are left out."""
    found: list[_Said] = []
    for message in ticket.messages:
        draft = TicketDraft(subject=ticket.subject, body=message.body, channel=ticket.channel, is_html=message.is_html)
        try:
            texts = texts_of(draft, is_redacting=queue.is_redacting, is_first=not found)
        except InputError:
            continue
        found.append(_Said(message=message, texts=texts))
    if not found:
        raise InputError("empty_message")
    return found


def _answered_at(said: list[_Said], *, created_at: int) -> int | None:
    answers = [one.message.at or created_at for one in said if one.message.kind == "outgoing"]
    return max(min(answers), created_at) if answers else None


def _standing(tx: Transaction, ticket: Ticket, *, solved_at: int | None, is_priority_set: bool, now: int) -> Ticket:
    """Return the ticket with its clocks: those of an open one begin now, paused while pending."""
    if ticket.status not in OPEN_STATUSES:
        return replace(ticket, solved_at=min(solved_at or ticket.updated_at, now), sla="met", refresh_at=None)
    pauses = ((now, None),) if ticket.status == "pending" else ()
    due = set_deadlines.start(tx, replace(ticket, pauses=pauses, is_priority_set=is_priority_set), since=now)
    return replace(due, risk=deadlines.risk(replace(due, created_at=now), now=now))


def _kept(tx: Transaction, ticket_id: int, one: _Said, *, created_at: int, is_read: bool, now: int) -> int:
    kind = one.message.kind
    message = Message(
        id=0,
        ticket_id=ticket_id,
        kind=kind,
        author_kind="customer" if kind == "incoming" else "agent",
        author_name=one.message.author_name,
        body=one.texts.body,
        text=one.texts.text,
        occurred_at=min(one.message.at or created_at, now),
        received_at=now,
        n_redactions=one.texts.n_redactions,
        pending_at=now if is_read and kind == "incoming" else None,
    )
    return messages.insert(tx, message).id
