"""Whether a database can be written to, found out by writing to it: a full disk refuses nothing else."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from app.core.errors import BellwetherError
from app.core.schema import versions

if TYPE_CHECKING:
    from app.core.db import Database

FRESH_S = 2.0
"""Who asks again within this time gets the last result, so that asking often writes no more."""

WAIT_MS = 2000


class WriteTest:
    """The last write of one process, and what came of it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._guard = Lock()
        self._tried_at = -FRESH_S
        self._fault: BellwetherError | None = None

    def check(self) -> None:
        """Raise NotReady with the reason unless a small write was durable within the last seconds."""
        with self._guard:
            if monotonic() - self._tried_at >= FRESH_S:
                self._fault = self._found()
                self._tried_at = monotonic()
            if self._fault is not None:
                raise self._fault

    def _found(self) -> BellwetherError | None:
        try:
            versions.check_known(self._db.connection, file=self._db.path.name)
            with self._db.transaction(wait_ms=WAIT_MS) as tx:
                tx.execute("INSERT INTO write_test VALUES (1, 1) ON CONFLICT DO UPDATE SET n = n + 1")
        except BellwetherError as error:
            return error
        return None
