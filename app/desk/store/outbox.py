"""The outbox: letters written with the change they belong to, claimed once, kept with every attempt."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from app.core.db import Reads, Transaction, statement
from app.core.leases import lease_rows
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.notify.domain.letter import OutboxRow, Posted

# A message that was called back takes its letter along.
_STANDS = "EXISTS (SELECT 1 FROM message WHERE message.id = outbox.message_id AND message.recalled_at IS NULL)"


@dataclass(frozen=True, kw_only=True)
class MailAttempt:
    """One attempt to hand a letter over; `error` is a code, `said` the server's answer."""

    at: int
    is_delivered: bool
    error: str | None
    said: str


def _row(row: sqlite3.Row) -> OutboxRow:
    return built(OutboxRow, row)


def get(db: Reads, outbox_id: int) -> OutboxRow:
    """The letter with this id; raises NotFound."""
    return _row(db.got("outbox", outbox_id))


def of_messages(db: Reads, message_ids: Iterable[int]) -> dict[int, OutboxRow]:
    """The letters of these messages, by message id."""
    rows = db.rows("SELECT * FROM outbox WHERE message_id IN (SELECT value FROM json_each(?))", (listed(message_ids),))
    return {row["message_id"]: _row(row) for row in rows}


def find_sent(db: Reads, rfc_id: str) -> OutboxRow | None:
    """The letter with this RFC 5322 Message-ID that was handed over."""
    row = db.row(
        "SELECT outbox.* FROM outbox JOIN message ON message.id = outbox.message_id "
        "WHERE message.message_id = ? AND outbox.state = 'sent'",
        (rfc_id,),
    )
    return None if row is None else _row(row)


def attempts(db: Reads, outbox_id: int) -> tuple[MailAttempt, ...]:
    """The attempts of a letter, oldest first."""
    rows = db.rows("SELECT * FROM mail_attempt WHERE outbox_id = ? ORDER BY id", (outbox_id,))
    return tuple(built(MailAttempt, row, flags=("is_delivered",)) for row in rows)


def counts(db: Reads, mailbox_id: int) -> dict[str, int]:
    """The number of letters of a mailbox in each state."""
    rows = db.rows("SELECT state, count(*) AS n FROM outbox WHERE mailbox_id = ? GROUP BY state", (mailbox_id,))
    return {row["state"]: row["n"] for row in rows}


def insert(
    tx: Transaction, *, message_id: int, ticket_id: int, mailbox_id: int, recipient: str, next_at: int, at: int
) -> int:
    """Let a message go out as mail from `next_at` on, unless it is called back before; returns the letter's id."""
    values = {
        "message_id": message_id,
        "ticket_id": ticket_id,
        "mailbox_id": mailbox_id,
        "recipient": recipient,
        "next_at": next_at,
        "created_at": at,
    }
    return tx.insert("outbox", values)


def due(db: Reads, *, now: int, limit: int) -> tuple[OutboxRow, ...]:
    """Letters whose next attempt has come, and those that a worker took and never finished."""
    rows = db.rows(
        statement(
            "SELECT * FROM outbox WHERE state IN ('waiting', 'sending') AND next_at <= ? AND",
            _STANDS,
            "ORDER BY next_at, id LIMIT ?",
        ),
        (now, limit),
    )
    return tuple(_row(row) for row in rows)


def claim(tx: Transaction, outbox_id: int, *, now: int, until: int) -> bool:
    """Take a letter until a time, after which another worker may; whether this caller got it."""
    n_claimed = tx.execute(
        statement(
            "UPDATE outbox SET state = 'sending', next_at = ?, n_attempts = n_attempts + 1",
            "WHERE id = ? AND state IN ('waiting', 'sending') AND next_at <= ? AND",
            _STANDS,
        ),
        (until, outbox_id, now),
    )
    return lease_rows.hold_claimed(tx, "outbox", outbox_id, until=until, n_claimed=n_claimed)


def settle(tx: Transaction, outbox_id: int, *, posted: Posted, at: int, next_at: int | None) -> None:
    """Write an attempt down: sent, to be tried again at `next_at`, or failed when there is no next time."""
    attempt = {"outbox_id": outbox_id, "at": at, "is_delivered": posted.is_delivered, "error": posted.error}
    tx.insert("mail_attempt", {**attempt, "said": posted.said[:500]})
    state = "sent" if posted.is_delivered else "failed" if next_at is None else "waiting"
    tx.execute(
        "UPDATE outbox SET state = ?, last_error = ?, next_at = coalesce(?, next_at), sent_at = ? WHERE id = ?",
        (state, posted.error, next_at, at if posted.is_delivered else None, outbox_id),
    )


def mark_bounced(tx: Transaction, outbox_id: int, *, error: str) -> None:
    """The receiving side sent it back."""
    tx.execute("UPDATE outbox SET state = 'bounced', last_error = ? WHERE id = ?", (error, outbox_id))


def send_again(tx: Transaction, outbox_id: int, *, at: int) -> bool:
    """Queue a failed or bounced letter once more; whether it was one."""
    return (
        tx.execute(
            "UPDATE outbox SET state = 'waiting', n_attempts = 0, next_at = ?, last_error = NULL "
            "WHERE id = ? AND state IN ('failed', 'bounced')",
            (at, outbox_id),
        )
        == 1
    )
