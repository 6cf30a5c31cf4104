"""Claims of processes that were killed are freed, so that other processes, or the next start, take the work up."""

from __future__ import annotations

import logging

from app.core import clock
from app.core.leases import lease_rows
from app.core.services import Services

LOG = logging.getLogger(__name__)


def free_dead_claims(services: Services) -> int:
    """Free the claims of processes that have ended; returns their number."""
    n_freed = 0
    for holder in lease_rows.dead_holders(services.db):
        with services.db.transaction() as tx:
            n_freed += lease_rows.free(tx, holder, now=clock.now_ms())
    if n_freed:
        LOG.info("%d claims of a process that ended are free again", n_freed)
    return n_freed


def delete_settled(services: Services) -> int:
    """Delete leases of settled claims, and files of processes that have ended; returns the number of leases."""
    services.db.holder.delete_dead_files()
    with services.db.transaction() as tx:
        return lease_rows.delete_settled(tx)
