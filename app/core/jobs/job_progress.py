"""How far a job has come; written down every few rows, which also says that its worker lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.core import clock
from app.core.db import Transaction
from app.core.jobs import job_rows
from app.core.services import Services

MOST_ERRORS = 100
STEP = 200


@dataclass
class Progress:
    """Counts of a job's rows, and the first hundred that could not be used."""

    services: Services
    job_id: int
    n_total: int = 0
    n_done: int = 0
    n_failed: int = 0
    n_known: int = 0
    errors: list[Mapping[str, Any]] = field(default_factory=list)

    def done(self) -> None:
        """One more row is in."""
        self.n_done += 1
        self._step()

    def known(self) -> None:
        """One more row was there already."""
        self.n_known += 1
        self._step()

    def failed(self, row: int, *, code: str, params: Mapping[str, Any]) -> None:
        """One more row could not be used."""
        self.note(row, code=code, params=params)
        self._step()

    def note(self, row: int, *, code: str, params: Mapping[str, Any]) -> None:
        """The same, to be written down by `keep` together with what was done."""
        self.n_failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"row": row, "code": code, "params": {key: str(value) for key, value in params.items()}})

    @contextmanager
    def together(self) -> Iterator[None]:
        """Rows that are counted in here are counted no more when it raises: what was done to them is rolled back."""
        known = (self.n_done, self.n_failed, self.n_known, list(self.errors))
        try:
            yield
        except BaseException:
            self.n_done, self.n_failed, self.n_known, self.errors = known
            raise

    def _step(self) -> None:
        if (self.n_done + self.n_failed + self.n_known) % STEP == 0:
            self.write()

    def write(self) -> None:
        """Write down how far it is."""
        with self.services.db.transaction() as tx:
            self.keep(tx)

    def keep(self, tx: Transaction) -> None:
        """The same inside an open transaction."""
        job_rows.progress(
            tx,
            self.job_id,
            at=clock.now_ms(),
            n_total=max(self.n_total, self.n_done + self.n_failed + self.n_known),
            n_done=self.n_done,
            n_failed=self.n_failed,
            n_known=self.n_known,
            errors=self.errors,
        )
