"""Baselines of each subject, and the nights that they were learnt in, with the model whose predictions were counted."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from app.alerts.domain.baseline import Measure, Usual
from app.core.db import Reads, Transaction, marks, statement
from app.core.leases import lease_rows
from app.core.storage.row_mapping import built

NEVER = -1


@dataclass(frozen=True, kw_only=True)
class Learning:
    """The learning of one kind of subjects: the day (since 1970), the model, and the times of beginning and end."""

    subject_kind: str
    day: int
    model: str
    claimed_at: int
    done_at: int | None

    @property
    def is_starting_over(self) -> bool:
        """True while nothing is learnt yet of this model's predictions."""
        return self.day == NEVER


def _usual(row: sqlite3.Row) -> Usual:
    rate = array("f")
    rate.frombytes(row["rate"])
    return built(Usual, row, flags=("is_daily",), rate=tuple(rate))


def of_kind(db: Reads, *, subject_kind: str, measure: Measure) -> tuple[Usual, ...]:
    """Return the baselines of every subject of a kind, one for each window length."""
    rows = db.rows("SELECT * FROM usual WHERE subject_kind = ? AND measure = ?", (subject_kind, measure))
    return tuple(_usual(row) for row in rows)


def replace(tx: Transaction, subject_kind: str, usuals: Iterable[Usual]) -> None:
    """Replace all baselines of a kind of subjects."""
    tx.execute("DELETE FROM usual WHERE subject_kind = ?", (subject_kind,))
    rows = [{**asdict(one), "rate": array("f", one.rate).tobytes()} for one in usuals]
    if rows:
        sql = statement("INSERT INTO usual (", ", ".join(rows[0]), ") VALUES", marks(list(rows[0])))
        tx.execute_many(sql, [list(row.values()) for row in rows])


def learning(db: Reads, subject_kind: str) -> Learning | None:
    """Return the newest learning of a kind of subjects."""
    row = db.row("SELECT * FROM learning WHERE subject_kind = ?", (subject_kind,))
    return None if row is None else built(Learning, row)


def claim(tx: Transaction, subject_kind: str, *, day: int, model: str, now: int, lease_ms: int) -> bool:
    """Begin a night's learning; return False where another process is at it or has done it."""
    n_claimed = tx.execute(
        "INSERT INTO learning (subject_kind, day, model, claimed_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET day = excluded.day, model = excluded.model, claimed_at = excluded.claimed_at, done_at = NULL "
        "WHERE (done_at IS NULL AND claimed_at <= ?) OR (done_at IS NOT NULL AND (day, model) <> (?, ?))",
        (subject_kind, day, model, now, now - lease_ms, day, model),
    )
    return lease_rows.hold_claimed(tx, "learning", subject_kind, until=now + lease_ms, n_claimed=n_claimed)


def start_over(tx: Transaction, subject_kind: str, *, model: str, at: int) -> None:
    """Mark everything as to be learnt anew: another model answers now."""
    tx.execute(
        "UPDATE learning SET day = ?, model = ?, done_at = ? WHERE subject_kind = ?", (NEVER, model, at, subject_kind)
    )


def done(tx: Transaction, subject_kind: str, *, at: int) -> None:
    """End a night's learning."""
    tx.execute("UPDATE learning SET done_at = ? WHERE subject_kind = ?", (at, subject_kind))
