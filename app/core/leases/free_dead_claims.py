"""What a process that was killed had claimed is taken up by the others, or by its own next start."""

from __future__ import annotations

import logging

from app.core import clock
from app.core.leases import lease_rows
from app.core.services import Services

LOG = logging.getLogger(__name__)


def free_of_dead(services: Services) -> int:
    """Let go what processes held that do not run any more; how much that was."""
    n_freed = 0
    for holder in lease_rows.dead_holders(services.db):
        with services.db.transaction() as tx:
            n_freed += lease_rows.free(tx, holder, now=clock.now_ms())
    if n_freed:
        LOG.info("%d claims of a process that ended are free again", n_freed)
    return n_freed


def tidy(services: Services) -> int:
    """Drop what says nothing any more: notes of settled claims, and files of processes that ended; how many notes."""
    services.db.holder.tidy()
    with services.db.transaction() as tx:
        return lease_rows.forget(tx)
