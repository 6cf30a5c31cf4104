"""The gazetteer of the watched companies, built once for each state of the list."""

from __future__ import annotations

from threading import Lock
from weakref import WeakKeyDictionary

from app.monitor.mentions import Gazetteer
from app.pipeline.services import Services
from app.store import entities
from app.store.db import Database

_Built = tuple[tuple[int, int, int], Gazetteer]

_built: WeakKeyDictionary[Database, _Built] = WeakKeyDictionary()
_lock = Lock()


def gazetteer(services: Services) -> Gazetteer:
    """The gazetteer of the entities as they are now."""
    stamp = entities.stamp(services.db)
    with _lock:
        known = _built.get(services.db)
        if known is None or known[0] != stamp:
            known = (stamp, Gazetteer(entities.every(services.db)))
            _built[services.db] = known
        return known[1]
