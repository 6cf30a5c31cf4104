"""Mailboxes: where mail comes from and goes out, and how far each was read."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads, Transaction
from app.core.leases import lease_rows
from app.core.storage.row_mapping import built
from app.desk.domain.ticket import Ticket
from app.notify.domain.letter import Mailbox


def as_mailbox(row: sqlite3.Row) -> Mailbox:
    """A mailbox out of its row."""
    return built(Mailbox, row, flags=("is_active", "is_reading_old"))


def get(db: Reads, mailbox_id: int) -> Mailbox:
    """The mailbox with this id; raises NotFound."""
    return as_mailbox(db.got("mailbox", mailbox_id))


def every(db: Reads) -> tuple[Mailbox, ...]:
    """Mailboxes by address."""
    return tuple(as_mailbox(row) for row in db.rows("SELECT * FROM mailbox ORDER BY address"))


def for_reply(db: Reads, ticket: Ticket) -> Mailbox | None:
    """The mailbox that sends a reply: the one the customer wrote to, else one of the queue, else the oldest."""
    row = db.row(
        "SELECT * FROM mailbox WHERE is_active = 1 AND smtp_host <> '' "
        "ORDER BY id = coalesce(?, 0) DESC, queue_id = ? DESC, id LIMIT 1",
        (ticket.mailbox_id, ticket.queue_id),
    )
    return None if row is None else as_mailbox(row)


def due(db: Reads, *, now: int) -> tuple[Mailbox, ...]:
    """Mailboxes whose turn to be read has come."""
    rows = db.rows(
        "SELECT * FROM mailbox WHERE is_active = 1 AND imap_host <> '' AND next_poll_at <= ? ORDER BY next_poll_at, id",
        (now,),
    )
    return tuple(as_mailbox(row) for row in rows)


def claim(tx: Transaction, mailbox_id: int, *, now: int, until: int) -> bool:
    """Take a mailbox until a time, after which another worker may; whether this caller got it."""
    n_claimed = tx.execute(
        "UPDATE mailbox SET next_poll_at = ? WHERE id = ? AND is_active = 1 AND next_poll_at <= ?",
        (until, mailbox_id, now),
    )
    return lease_rows.hold_claimed(tx, "mailbox", mailbox_id, until=until, n_claimed=n_claimed)


def note_read(tx: Transaction, mailbox_id: int, *, uid_validity: int, last_uid: int) -> None:
    """Remember how far a mailbox was read; that is no edit, so the version stays."""
    tx.execute("UPDATE mailbox SET uid_validity = ?, last_uid = ? WHERE id = ?", (uid_validity, last_uid, mailbox_id))


def poll_at_once(tx: Transaction, mailbox_id: int) -> None:
    """Let a mailbox be read at the next tick; that is no edit, so the version stays."""
    tx.execute("UPDATE mailbox SET next_poll_at = 0 WHERE id = ?", (mailbox_id,))


def note_poll(tx: Transaction, mailbox_id: int, *, at: int, next_at: int, error: str | None) -> None:
    """Write down how a look into a mailbox went and when the next one is due."""
    tx.execute(
        "UPDATE mailbox SET last_polled_at = ?, next_poll_at = ?, last_error = ?, "
        "n_failures = CASE WHEN ? IS NULL THEN 0 ELSE n_failures + 1 END WHERE id = ?",
        (at, next_at, error, error, mailbox_id),
    )
