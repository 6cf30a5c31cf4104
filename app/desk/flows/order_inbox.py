"""Where a ticket stands in the inbox: breach risk × urgency as a stored key, brought up to date as time passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core import clock
from app.core.db import Transaction
from app.core.durations import MINUTE_MS
from app.core.events import history
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.decide import breach_risk as risk
from app.desk.decide import deadlines as sla
from app.desk.domain.ticket import OPEN_STATUSES, Ticket
from app.desk.store import tickets

STEPS = 100
"""A key is looked at again after a hundredth of the ticket's allowance, a minute at the least."""

CHUNK = 250


@dataclass(frozen=True, kw_only=True)
class Place:
    """The stored order key, the state of the SLA beside it, and when time changes them; None: never again."""

    risk: int
    sla: str
    refresh_at: int | None


def place(ticket: Ticket, *, now: int) -> Place:
    """A ticket's place at a time; who is solved or closed keeps the key it had."""
    state = sla.clock(ticket, now=now)
    if ticket.status not in OPEN_STATUSES:
        return Place(risk=ticket.risk, sla=state.name, refresh_at=None)
    return Place(risk=risk_of(ticket, now=now), sla=state.name, refresh_at=_next(ticket, now=now))


def risk_of(ticket: Ticket, *, now: int) -> int:
    """A ticket's order key at a time."""
    return risk.risk(
        urgency=0 if ticket.urgency is None else ticket.urgency.points,
        first_response_due_at=ticket.first_response_due_at,
        resolution_due_at=ticket.resolution_due_at,
        first_responded_at=ticket.first_responded_at,
        created_at=ticket.created_at,
        # What waits for its customer does not rise meanwhile.
        now=now if sla.paused_at(ticket) is None else min(now, sla.paused_at(ticket) or now),
    )


def _next(ticket: Ticket, *, now: int) -> int | None:
    moments = list(_moments(ticket, now=now))
    return min(moments) if moments else None


def _moments(ticket: Ticket, *, now: int) -> Iterator[int]:
    if sla.paused_at(ticket) is not None:
        return
    is_waiting = ticket.first_responded_at is None
    for due_at in (ticket.resolution_due_at, ticket.first_response_due_at if is_waiting else None):
        # At twice the allowance the key has reached its height.
        if due_at is None or now >= 2 * due_at - ticket.created_at:
            continue
        step = now + max((due_at - ticket.created_at) // STEPS, MINUTE_MS)
        yield min(step, due_at + 1) if due_at > now else step


def _tell(tx: Transaction, ticket: Ticket, *, at: Place, now: int) -> None:
    """Keep an event when a running clock has come near its deadline or passed it; each is told once."""
    if at.sla == ticket.sla or at.sla not in ("at_risk", "breached") or ticket.status not in OPEN_STATUSES:
        return
    history.record(
        tx,
        actor=history.of(SYSTEM),
        verb=f"sla_{at.sla}",
        noun="ticket",
        noun_id=ticket.id,
        before={"sla": ticket.sla},
        after={"sla": at.sla, "deadline": sla.clock(ticket, now=now).deadline},
        data={"subject": ticket.subject, "external_id": ticket.external_id},
    )


def refresh(services: Services) -> int:
    """Bring keys up to the present whose time has come, in short transactions; how many moved."""
    n_moved = 0
    while tickets.due_for_refresh(services.db, now=clock.now_ms(), limit=1):
        now = clock.now_ms()
        with services.db.transaction() as tx:
            places = [(one, place(one, now=now)) for one in tickets.due_for_refresh(tx, now=now, limit=CHUNK)]
            tickets.set_places(tx, [(ticket.id, at.risk, at.sla, at.refresh_at) for ticket, at in places])
            for ticket, at in places:
                _tell(tx, ticket, at=at, now=now)
        n_moved += sum(at.risk != ticket.risk for ticket, at in places)
    return n_moved
