"""Outcomes of the macros and drafts that were offered to agents."""

from __future__ import annotations

from dataclasses import asdict

from app.answers.domain import Outcome, Tally
from app.core.db import Reads, Transaction
from app.core.storage.row_mapping import built

_TALLY = """SELECT macro_id, coalesce(sum(verdict = 'accepted'), 0) AS n_accepted,
coalesce(sum(verdict = 'edited'), 0) AS n_edited, coalesce(sum(verdict = 'rejected'), 0) AS n_rejected,
coalesce(sum(kept), 0.0) AS kept FROM outcome"""


def insert(tx: Transaction, outcome: Outcome) -> int:
    """Keep one outcome; returns its id."""
    return tx.insert("outcome", asdict(outcome))


def forget(tx: Transaction, message_id: int) -> None:
    """Forget the outcome of the suggestion in a message that was called back."""
    tx.execute("DELETE FROM outcome WHERE message_id = ?", (message_id,))


def of_macros(db: Reads, *, intent: str | None = None) -> dict[int, Tally]:
    """Tallies by macro id; on tickets of one intent where it is given."""
    sql = " ".join((_TALLY, "WHERE kind = 'macro' AND intent = coalesce(?, intent) GROUP BY macro_id"))
    return {row["macro_id"]: built(Tally, row) for row in db.rows(sql, (intent,))}


def of_drafts(db: Reads) -> Tally:
    """The tally of all drafts."""
    return built(Tally, db.rows(" ".join((_TALLY, "WHERE kind = 'draft'")))[0])
