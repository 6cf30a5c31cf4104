"""Keys of the inbox order brought up to date as time passes, and deadlines that come near told once."""

from __future__ import annotations

from app.core import clock
from app.core.db import Transaction
from app.core.events import history
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.decide import deadlines
from app.desk.decide.deadlines import Place, place
from app.desk.domain.ticket import OPEN_STATUSES, Ticket
from app.desk.store import tickets

CHUNK = 250


def refresh(services: Services) -> int:
    """Bring keys up to the present whose time has come, in short transactions; return how many moved."""
    n_moved = 0
    while tickets.due_for_refresh(services.db, now=clock.now_ms(), limit=1):
        now = clock.now_ms()
        with services.db.transaction() as tx:
            places = [(one, place(one, now=now)) for one in tickets.due_for_refresh(tx, now=now, limit=CHUNK)]
            tickets.set_places(tx, [(ticket.id, at.risk, at.sla, at.refresh_at) for ticket, at in places])
            for ticket, at in places:
                _record_nearness(tx, ticket, at=at, now=now)
        n_moved += sum(at.risk != ticket.risk for ticket, at in places)
    return n_moved


def _record_nearness(tx: Transaction, ticket: Ticket, *, at: Place, now: int) -> None:
    """Record that a running clock has come near its deadline or passed it; each of them once."""
    if at.sla == ticket.sla or at.sla not in ("at_risk", "breached") or ticket.status not in OPEN_STATUSES:
        return
    history.record(
        tx,
        actor=history.of(SYSTEM),
        verb=f"sla_{at.sla}",
        noun="ticket",
        noun_id=ticket.id,
        before={"sla": ticket.sla},
        after={"sla": at.sla, "deadline": deadlines.clock(ticket, now=now).deadline},
        data={"subject": ticket.subject, "external_id": ticket.external_id},
    )
