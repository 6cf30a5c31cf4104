"""The gazetteer of the watched companies, built once for each state of the list."""

from __future__ import annotations

from threading import Lock
from weakref import WeakKeyDictionary

from app.core.db import Database
from app.core.services import Services
from app.market.decide.mention_finding import Gazetteer
from app.market.store import companies

_Built = tuple[tuple[int, int, int], Gazetteer]

_built: WeakKeyDictionary[Database, _Built] = WeakKeyDictionary()
_lock = Lock()


def gazetteer(services: Services) -> Gazetteer:
    """The gazetteer of the entities as they are now."""
    stamp = companies.stamp(services.db)
    with _lock:
        known = _built.get(services.db)
        if known is None or known[0] != stamp:
            known = (stamp, Gazetteer(companies.every(services.db)))
            _built[services.db] = known
        return known[1]
