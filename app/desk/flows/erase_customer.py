"""A customer with their tickets, and erasing them for good (GDPR, article 17)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from app.core import clock
from app.core.errors import DatabaseBusy, NotAllowed, NotFound
from app.core.events import history
from app.core.permissions import Viewer
from app.core.quarantine import quarantine_rows
from app.core.services import Services
from app.core.storage import wiping
from app.desk.domain.ticket import Customer, Ticket
from app.desk.store import customers, erasure, tickets

MOST_SHOWN = 200
ASKED_MS, WORKER_MS = 2000, 20_000
"""The time that an erasing request wipes the file, and that a worker does in one go."""


@dataclass(frozen=True, kw_only=True)
class CustomerView:
    """A customer with the tickets that the viewer sees, newest first."""

    customer: Customer
    tickets: tuple[Ticket, ...]


def show(services: Services, customer_id: int, *, viewer: Viewer) -> CustomerView:
    """Return a customer; raises NotFound for one of whom the viewer sees no ticket."""
    customer = customers.get(services.db, customer_id)
    seen = tickets.of_customer(services.db, customer_id, viewer=viewer, limit=MOST_SHOWN)
    if not seen and viewer.queue_ids is not None:
        raise NotFound(noun="customer", id=customer_id)
    return CustomerView(customer=customer, tickets=seen)


def erase(services: Services, customer_id: int, *, viewer: Viewer) -> int:
    """Erase name, address and every text of a customer; return the number of emptied tickets.

    Each ticket has a transaction of its own, so that nobody waits long; an erasure that broke off can be repeated. The
    event keeps who erased and when, and no text. Models keep what they learned from the texts before. In a large file
    the worker goes on wiping the words out of its pages afterwards.
    """
    if not viewer.may("*:*"):
        raise NotAllowed(permission="*:*")
    address = customers.get(services.db, customer_id).email
    found = erasure.ticket_ids(services.db, customer_id)
    for ticket_id in found:
        with services.db.transaction() as tx:
            erasure.erase_ticket(tx, ticket_id)
    file_ids = erasure.files_about(services.db, customer_id)
    with services.db.transaction() as tx:
        if address is not None:
            quarantine_rows.delete_with_address(tx, address)
        wiping.request(tx, at=clock.now_ms())
        erasure.erase_customer(tx, customer_id, file_ids=file_ids, at=clock.now_ms())
        history.record(
            tx,
            actor=history.of(viewer),
            verb="erased",
            noun="customer",
            noun_id=customer_id,
            after={"n_tickets": len(found)},
        )
    # Where the file is busy the worker wipes it.
    with suppress(DatabaseBusy):
        wipe(services, limit_ms=ASKED_MS)
    return len(found)


def wipe(services: Services, *, limit_ms: int = WORKER_MS) -> int:
    """Go on wiping erased words out of the file for so long; return the number of pieces that were wiped."""
    until, n_pieces = clock.now_ms() + limit_ms, 0
    for _ in wiping.run(services.db):
        n_pieces += 1
        if clock.now_ms() >= until:
            break
    return n_pieces
