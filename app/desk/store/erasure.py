"""Erasing what a customer wrote and what was written to them; what is left are figures that name nobody."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.db import Reads, Transaction, statement
from app.core.events import event_log
from app.desk.store import import_files
from app.desk.store.tickets import erased_id

GONE = "—"
"""The replacement of an erased text: no word of any language."""

_MESSAGES = "(SELECT id FROM message WHERE ticket_id = ?)"


def ticket_ids(db: Reads, customer_id: int) -> list[int]:
    """Every ticket of a customer, whoever sees it."""
    rows = db.rows("SELECT id FROM ticket WHERE customer_id = ? ORDER BY id", (customer_id,))
    return [row["id"] for row in rows]


def erase_ticket(tx: Transaction, ticket_id: int) -> None:
    """Take every text out of a ticket: its messages, files, corrections, letters, history, ids and notifications."""
    blobs = tx.rows(
        "SELECT DISTINCT sha256 FROM attachment WHERE message_id IN (SELECT id FROM message WHERE ticket_id = ?)",
        (ticket_id,),
    )
    for sql in _STEPS:
        tx.execute(sql, (ticket_id,))
    event_log.forget(tx, "ticket", ticket_id, keys=("subject", "body", "text", "tags", "external_id"))
    _hide_ids(tx, ticket_id)
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


def _hide_ids(tx: Transaction, ticket_id: int) -> None:
    for sql, change in _IDS:
        for row in tx.rows(sql, (ticket_id,)):
            if not row[1].startswith("erased:"):
                tx.execute(change, (erased_id(row[1]), row[0]))


def files_about(db: Reads, customer_id: int) -> list[int]:
    """Exports of other desks that were handed in, are not imported yet, and hold a customer's name or address."""
    was = db.got("customer", customer_id)
    names = {was["name"], was["email"]} - {None, "", GONE}
    return sorted({row["id"] for name in names for row in db.rows(_HANDED_IN, (name,))})


def erase_customer(tx: Transaction, customer_id: int, *, file_ids: Iterable[int], at: int) -> None:
    """Forget a customer's name and address, and files about them.

    The row stays, so that figures and tickets still stand on it.
    """
    for file_id in file_ids:
        import_files.forget(tx, file_id)
    # What was wrong with rows of imported files is told with pieces of them.
    tx.execute(_ROW_FAULTS)
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
_IDS = (
    (
        "SELECT id, external_id FROM ticket WHERE id = ? AND external_id IS NOT NULL",
        "UPDATE ticket SET external_id = ? WHERE id = ?",
    ),
    (
        "SELECT id, message_id FROM message WHERE ticket_id = ? AND message_id IS NOT NULL",
        "UPDATE message SET message_id = ? WHERE id = ?",
    ),
)
_HANDED_IN = """SELECT ticket_file.id FROM ticket_file JOIN blob ON blob.sha256 = ticket_file.sha256
WHERE instr(blob.content, CAST(? AS BLOB)) > 0"""
_ROW_FAULTS = """UPDATE job SET errors = (SELECT json_group_array(json_set(value, '$.params', json('{}')))
FROM json_each(job.errors)) WHERE kind IN ('import_tickets', 'import_file', 'check_file') AND errors <> '[]'"""
