"""Messages of a thread, and which of them the model has yet to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

from app.core.db import Reads, Transaction, marks, statement
from app.core.leases import lease_rows
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.desk.domain.ticket import Message
from app.desk.store.tickets import erased_id

TextParts = tuple[str | None, int | None]
"""The text before the body (None: none), and the number of the body's characters after it (None: all)."""

_PLAIN = tuple(one.name for one in fields(Message) if one.name not in ("id", "text"))


def _message(row: sqlite3.Row) -> Message:
    return built(Message, row, flags=("is_supported", "is_automatic"))


def text_parts(body: str, text: str) -> TextParts:
    """Return a cleaned text as a part of its body, which it nearly always is; any other text is kept whole."""
    if text == body:
        return None, None
    for start in {0, text.find("\n") + 1}:
        rest = text[start:]
        # SQLite counts the characters of a text with a zero in it otherwise.
        if body.startswith(rest) and "\0" not in body:
            return text[:start] or None, None if rest == body else len(rest)
    return text, 0


def get(db: Reads, message_id: int) -> Message:
    """The message with this id; raises NotFound."""
    return _message(db.got("message", message_id))


def of_ticket(db: Reads, ticket_id: int) -> tuple[Message, ...]:
    """A thread, oldest first, without what was called back."""
    rows = db.rows(
        "SELECT * FROM message WHERE ticket_id = ? AND recalled_at IS NULL ORDER BY occurred_at, id", (ticket_id,)
    )
    return tuple(_message(row) for row in rows)


def find_by_message_id(db: Reads, message_id: str) -> Message | None:
    """The message with this RFC 5322 Message-ID, erased or not."""
    row = db.row("SELECT * FROM message WHERE message_id IN (?, ?)", (message_id, erased_id(message_id)))
    return None if row is None else _message(row)


def find_thread(db: Reads, message_ids: Sequence[str]) -> int | None:
    """The ticket of the latest message that one of these RFC 5322 ids names."""
    if not message_ids:
        return None
    sql = statement("SELECT ticket_id FROM message WHERE message_id IN", marks(message_ids), "ORDER BY id DESC LIMIT 1")
    found: int | None = db.value(sql, message_ids)
    return found


def first_incoming(db: Reads, ticket_id: int) -> Message | None:
    """The first message of the customer."""
    row = db.row(
        "SELECT * FROM message WHERE ticket_id = ? AND kind = 'incoming' ORDER BY occurred_at, id LIMIT 1", (ticket_id,)
    )
    return None if row is None else _message(row)


def incoming_ids(db: Reads, ticket_ids: Iterable[int]) -> dict[int, list[int]]:
    """The incoming messages of several tickets by ticket, oldest first."""
    rows = db.rows(
        "SELECT ticket_id, id FROM message WHERE ticket_id IN (SELECT value FROM json_each(?)) AND kind = 'incoming' "
        "ORDER BY ticket_id, occurred_at, id",
        (listed(ticket_ids),),
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["ticket_id"], []).append(row["id"])
    return found


def last_incoming(db: Reads, ticket_id: int) -> Message | None:
    """The last message of the customer."""
    row = db.row(
        "SELECT * FROM message WHERE ticket_id = ? AND kind = 'incoming' ORDER BY occurred_at DESC, id DESC LIMIT 1",
        (ticket_id,),
    )
    return None if row is None else _message(row)


def count_from(db: Reads, customer_id: int, *, since: int) -> int:
    """The number of messages that a customer has sent since a time."""
    return int(
        db.value(
            "SELECT count(*) FROM ticket JOIN message ON message.ticket_id = ticket.id "
            "WHERE ticket.customer_id = ? AND message.kind = 'incoming' AND message.received_at >= ?",
            (customer_id, since),
        )
    )


def insert(tx: Transaction, message: Message) -> Message:
    """Add a message; return it with its number."""
    head, kept = text_parts(message.body, message.text)
    values = {name: getattr(message, name) for name in _PLAIN}
    return replace(message, id=tx.insert("message", {**values, "text_head": head, "text_kept": kept}))


def rewrite(tx: Transaction, message: Message) -> None:
    """Write the new text of a message, and when the model may read it."""
    head, kept = text_parts(message.body, message.text)
    tx.execute(
        "UPDATE message SET body = ?, text_head = ?, text_kept = ?, n_redactions = ?, pending_at = ? WHERE id = ?",
        (message.body, head, kept, message.n_redactions, message.pending_at, message.id),
    )


def set_rfc_id(tx: Transaction, message_id: int, *, rfc_id: str) -> None:
    """Give a message its RFC 5322 Message-ID."""
    tx.execute("UPDATE message SET message_id = ? WHERE id = ?", (rfc_id, message_id))


def pending(db: Reads, *, now: int, limit: int) -> tuple[Message, ...]:
    """Messages whose turn to be read by the model has come, oldest first."""
    rows = db.rows(
        "SELECT * FROM message WHERE pending_at IS NOT NULL AND pending_at <= ? ORDER BY pending_at, id LIMIT ?",
        (now, limit),
    )
    return tuple(_message(row) for row in rows)


def n_pending(db: Reads) -> int:
    """The number of messages that wait for the model."""
    return int(db.value("SELECT count(*) FROM message WHERE pending_at IS NOT NULL"))


def is_pending(db: Reads, message_id: int) -> bool:
    """True for a message that waits for the model."""
    return db.value("SELECT pending_at FROM message WHERE id = ?", (message_id,)) is not None


def claim(tx: Transaction, message_id: int, *, now: int, until: int) -> bool:
    """Claim a waiting message until a time, after which another process may; return whether the claim succeeded."""
    n_claimed = tx.execute(
        "UPDATE message SET pending_at = ?, n_tries = n_tries + 1 WHERE id = ? AND pending_at <= ?",
        (until, message_id, now),
    )
    return lease_rows.hold_claimed(tx, "message", message_id, until=until, n_claimed=n_claimed)


def hold(tx: Transaction, message: Message) -> None:
    """Note that this process will let the model read a waiting message."""
    if message.pending_at is not None:
        lease_rows.hold(tx, "message", [message.id], until=message.pending_at)


def put_off(tx: Transaction, message_id: int, *, until: int) -> None:
    """Let a waiting message wait until a time."""
    tx.execute("UPDATE message SET pending_at = ? WHERE id = ? AND pending_at IS NOT NULL", (until, message_id))


def settle(tx: Transaction, message_id: int, *, language: str, is_supported: bool) -> bool:
    """Note that the model has read a message; return False where it did not wait for that any more."""
    return (
        tx.execute(
            "UPDATE message SET pending_at = NULL, language = ?, is_supported = ? "
            "WHERE id = ? AND pending_at IS NOT NULL",
            (language, is_supported, message_id),
        )
        == 1
    )


def n_tries(db: Reads, message_id: int) -> int:
    """The number of times that a worker has taken a message."""
    return int(db.value("SELECT n_tries FROM message WHERE id = ?", (message_id,)) or 0)


def recall(tx: Transaction, message_id: int, *, now: int) -> bool:
    """Call a message back before it is sent; return False when it was too late. A note is never sent."""
    return (
        tx.execute(
            "UPDATE message SET recalled_at = ? WHERE id = ? AND recalled_at IS NULL "
            "AND (kind = 'note' OR not_before_at > ?)",
            (now, message_id, now),
        )
        == 1
    )


def last_recalled(db: Reads, ticket_id: int, *, user_id: int) -> Message | None:
    """The message that this person called back last."""
    row = db.row(
        "SELECT * FROM message WHERE ticket_id = ? AND user_id = ? AND recalled_at IS NOT NULL "
        "ORDER BY recalled_at DESC, id DESC LIMIT 1",
        (ticket_id, user_id),
    )
    return None if row is None else _message(row)
