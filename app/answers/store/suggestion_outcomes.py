"""Outcomes of the macros and drafts that were offered to agents."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict

from app.answers.domain import Outcome, Tally
from app.core.db import Reads, Transaction

_TALLY = """SELECT macro_id, sum(verdict = 'accepted') AS n_accepted, sum(verdict = 'edited') AS n_edited,
sum(verdict = 'rejected') AS n_rejected, sum(kept) AS kept FROM outcome"""


def _tally(row: sqlite3.Row) -> Tally:
    return Tally(
        n_accepted=row["n_accepted"] or 0,
        n_edited=row["n_edited"] or 0,
        n_rejected=row["n_rejected"] or 0,
        kept=row["kept"] or 0.0,
    )


def insert(tx: Transaction, outcome: Outcome) -> int:
    """Keep one outcome; returns its id."""
    return tx.insert("outcome", asdict(outcome))


def forget(tx: Transaction, message_id: int) -> None:
    """Forget the outcome of the suggestion in a message that was called back."""
    tx.execute("DELETE FROM outcome WHERE message_id = ?", (message_id,))


def of_macros(db: Reads, *, intent: str | None = None) -> dict[int, Tally]:
    """Tallies by macro id; on tickets of one intent where it is given."""
    sql = " ".join((_TALLY, "WHERE kind = 'macro' AND intent = coalesce(?, intent) GROUP BY macro_id"))
    return {row["macro_id"]: _tally(row) for row in db.rows(sql, (intent,))}


def of_drafts(db: Reads) -> Tally:
    """The tally of all drafts."""
    return _tally(db.rows(" ".join((_TALLY, "WHERE kind = 'draft'")))[0])
