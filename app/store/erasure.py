"""Erasing what a customer wrote and what was written to them; what is left are figures that name nobody."""

from __future__ import annotations

from app.store import events
from app.store.db import Reads, Transaction, statement

GONE = "—"
"""What stands where a text was: no word of any language."""

_MESSAGES = "(SELECT id FROM message WHERE ticket_id = ?)"


def ticket_ids(db: Reads, customer_id: int) -> list[int]:
    """Every ticket of a customer, whoever sees it."""
    rows = db.rows("SELECT id FROM ticket WHERE customer_id = ? ORDER BY id", (customer_id,))
    return [row["id"] for row in rows]


def erase_ticket(tx: Transaction, ticket_id: int) -> None:
    """Take every text out of a ticket: its messages, files, corrections, letters, history and notifications."""
    blobs = tx.rows(
        "SELECT DISTINCT sha256 FROM attachment WHERE message_id IN (SELECT id FROM message WHERE ticket_id = ?)",
        (ticket_id,),
    )
    for sql in _STEPS:
        tx.execute(sql, (ticket_id,))
    events.forget(tx, "ticket", ticket_id, keys=("subject", "body", "text", "tags"))
    tx.execute(
        "UPDATE ticket SET subject = ?, preview = '', tags = '[]', version = version + 1 WHERE id = ?",
        (GONE, ticket_id),
    )
    tx.execute(
        "UPDATE message SET body = ?, text_head = NULL, text_kept = 0, "
        "author_name = CASE kind WHEN 'incoming' THEN '' ELSE author_name END, pending_at = NULL WHERE ticket_id = ?",
        (GONE, ticket_id),
    )
    for row in blobs:
        tx.execute(
            "DELETE FROM blob WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM attachment WHERE sha256 = blob.sha256)",
            (row["sha256"],),
        )
    # Answers that are kept for repeated requests hold the ticket too.
    tx.execute("DELETE FROM idempotency WHERE instr(body, CAST(? AS BLOB)) > 0", (f'"tkt_{ticket_id}"',))


def erase_customer(tx: Transaction, customer_id: int, *, at: int) -> None:
    """Forget a customer's name and address; the row stays, so that figures and tickets still stand on it."""
    tx.execute(
        "UPDATE customer SET name = ?, email = NULL, tier = 'standard', erased_at = ?, version = version + 1 "
        "WHERE id = ?",
        (GONE, at, customer_id),
    )


_STEPS = (
    statement("DELETE FROM attachment WHERE message_id IN", _MESSAGES),
    "DELETE FROM outbox WHERE ticket_id = ?",
    statement("UPDATE correction SET text = '' WHERE subject_kind = 'message' AND subject_id IN", _MESSAGES),
    "DELETE FROM notification WHERE noun = 'ticket' AND noun_id = ?",
)
