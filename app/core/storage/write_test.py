"""A small write that shows if a database can be written to: a full disk refuses nothing else."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from app.core.errors import BellwetherError
from app.core.schema import versions

if TYPE_CHECKING:
    from app.core.db import Database

FRESH_S = 2.0
"""The last result holds for this long, so that frequent checks do not write more."""

WAIT_MS = 2000


class WriteTest:
    """The last test write of one process, and its result."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._guard = Lock()
        self._tried_at = -FRESH_S
        self._fault: BellwetherError | None = None

    def check(self) -> None:
        """Raise NotReady with the reason unless a small write succeeded within the last seconds."""
        with self._guard:
            if monotonic() - self._tried_at >= FRESH_S:
                self._fault = self._try()
                self._tried_at = monotonic()
            if self._fault is not None:
                raise self._fault

    def _try(self) -> BellwetherError | None:
        try:
            versions.check_known(self._db.connection, file=self._db.path.name)
            with self._db.transaction(wait_ms=WAIT_MS) as tx:
                tx.execute("INSERT INTO write_test VALUES (1, 1) ON CONFLICT DO UPDATE SET n = n + 1")
        except BellwetherError as error:
            return error
        return None
