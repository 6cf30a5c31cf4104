"""The progress of a job, written down every few rows; the time of the last write shows that its worker lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.core import clock
from app.core.db import Transaction
from app.core.jobs import job_rows
from app.core.jobs.job import JobError
from app.core.services import Services

MOST_ERRORS = 100
STEP = 200


@dataclass
class Progress:
    """Counts of a job's rows, and the first hundred errors."""

    services: Services
    job_id: int
    n_total: int = 0
    n_done: int = 0
    n_failed: int = 0
    n_known: int = 0
    errors: list[JobError] = field(default_factory=list)

    def done(self) -> None:
        """Count one more row that was stored."""
        self.n_done += 1
        self._step()

    def known(self) -> None:
        """Count one more row that was stored before."""
        self.n_known += 1
        self._step()

    def failed(self, row: int, *, code: str, params: Mapping[str, object]) -> None:
        """Count one more row that cannot be used."""
        self.note(row, code=code, params=params)
        self._step()

    def note(self, row: int, *, code: str, params: Mapping[str, object]) -> None:
        """Count a row that cannot be used, to be written down by `keep` in the transaction of the work."""
        self.n_failed += 1
        if len(self.errors) < MOST_ERRORS:
            shown = {name: str(value) for name, value in params.items()}
            self.errors.append(JobError(row=row, code=code, params=shown))

    @contextmanager
    def reverting_on_error(self) -> Iterator[None]:
        """Take back the counts of this block when it raises, because the rows themselves are rolled back."""
        before = (self.n_done, self.n_failed, self.n_known, list(self.errors))
        try:
            yield
        except BaseException:
            self.n_done, self.n_failed, self.n_known, self.errors = before
            raise

    def _step(self) -> None:
        if (self.n_done + self.n_failed + self.n_known) % STEP == 0:
            self.write()

    def write(self) -> None:
        """Write the progress down."""
        with self.services.db.transaction() as tx:
            self.keep(tx)

    def keep(self, tx: Transaction) -> None:
        """Write the progress down inside an open transaction."""
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
