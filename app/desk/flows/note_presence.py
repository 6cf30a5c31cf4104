"""The people who have a ticket open: their pages report every few seconds and are forgotten as quickly."""

from __future__ import annotations

from app.core import clock
from app.core.errors import DatabaseBusy
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.domain.ticket import Present
from app.desk.store import presence, tickets

FRESH_MS = 25_000
WAIT_MS = 200


def there(services: Services, ticket_id: int, *, viewer: Viewer) -> tuple[Present, ...]:
    """Return the others who have the ticket open; raises NotFound out of sight."""
    tickets.get(services.db, ticket_id, viewer=viewer)
    found = presence.of(services.db, ticket_id, since=clock.now_ms() - FRESH_MS)
    return tuple(one for one in found if one.user_id != viewer.user_id)


def seen(services: Services, ticket_id: int, *, viewer: Viewer, is_typing: bool = False) -> tuple[Present, ...]:
    """Note that the viewer has the ticket open; returns the others. Raises NotFound out of sight."""
    others = there(services, ticket_id, viewer=viewer)
    if viewer.user_id is not None:
        try:
            with services.db.transaction(wait_ms=WAIT_MS) as tx:
                presence.put(tx, ticket_id=ticket_id, user_id=viewer.user_id, is_typing=is_typing, at=clock.now_ms())
        except DatabaseBusy:
            # Real work goes first; the next sign of life comes in a few seconds.
            return others
    return others


def left(services: Services, ticket_id: int, *, viewer: Viewer) -> None:
    """Note that the viewer closed the ticket; whoever leaves in another way is forgotten after a while."""
    if viewer.user_id is not None:
        with services.db.transaction(wait_ms=WAIT_MS) as tx:
            presence.leave(tx, ticket_id=ticket_id, user_id=viewer.user_id)


def forget(services: Services) -> int:
    """Drop outdated reports; return how many."""
    with services.db.transaction() as tx:
        return presence.expire(tx, before=clock.now_ms() - FRESH_MS)
