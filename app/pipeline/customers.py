"""A customer in one place, and erasing one for good (GDPR, article 17)."""

from __future__ import annotations

from dataclasses import dataclass

from app import clock
from app.domain.people import Viewer
from app.domain.ticket import Customer, Ticket
from app.errors import NotAllowed, NotFound
from app.pipeline import history
from app.pipeline.services import Services
from app.store import customers, erasure, quarantine, tickets

MOST_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class CustomerView:
    """A customer with the tickets that the viewer sees, newest first."""

    customer: Customer
    tickets: tuple[Ticket, ...]


def show(services: Services, customer_id: int, *, viewer: Viewer) -> CustomerView:
    """A customer; raises NotFound for one of whom the viewer sees no ticket."""
    customer = customers.get(services.db, customer_id)
    seen = tickets.of_customer(services.db, customer_id, viewer=viewer, limit=MOST_SHOWN)
    if not seen and viewer.queue_ids is not None:
        raise NotFound(noun="customer", id=customer_id)
    return CustomerView(customer=customer, tickets=seen)


def erase(services: Services, customer_id: int, *, viewer: Viewer) -> int:
    """Take name, address and every text of a customer out of the database; the number of tickets that were emptied.

    Ticket by ticket, so that nobody waits long; once begun it can be begun again. The event keeps who did it and
    when, and nothing of what was there. Models that learned from the texts before keep what they learned.
    """
    if not viewer.may("*:*"):
        raise NotAllowed(permission="*:*")
    address = customers.get(services.db, customer_id).email
    found = erasure.ticket_ids(services.db, customer_id)
    for ticket_id in found:
        with services.db.transaction() as tx:
            erasure.erase_ticket(tx, ticket_id)
    with services.db.transaction() as tx:
        if address is not None:
            quarantine.forget_sender(tx, address)
        erasure.erase_customer(tx, customer_id, at=clock.now_ms())
        history.record(
            tx,
            actor=history.of(viewer),
            verb="erased",
            noun="customer",
            noun_id=customer_id,
            after={"n_tickets": len(found)},
        )
    return len(found)
