"""Mail: mailboxes, what waits to be sent with every attempt, and what could not be read."""

from __future__ import annotations

MAIL = (
    # The secret is sealed (app/core/storage/sealing.py): the database alone does not give it away.
    """CREATE TABLE mailbox (id INTEGER PRIMARY KEY, address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL DEFAULT '', queue_id INTEGER NOT NULL REFERENCES queue, username TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL DEFAULT '', imap_host TEXT NOT NULL DEFAULT '', imap_port INTEGER NOT NULL DEFAULT 993,
    imap_security TEXT NOT NULL DEFAULT 'tls', imap_folder TEXT NOT NULL DEFAULT 'INBOX',
    smtp_host TEXT NOT NULL DEFAULT '', smtp_port INTEGER NOT NULL DEFAULT 465,
    smtp_security TEXT NOT NULL DEFAULT 'tls', is_reading_old INTEGER NOT NULL DEFAULT 0,
    is_active INTEGER NOT NULL DEFAULT 1, uid_validity INTEGER, last_uid INTEGER NOT NULL DEFAULT 0,
    next_poll_at INTEGER NOT NULL DEFAULT 0, last_polled_at INTEGER, last_error TEXT,
    n_failures INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1)""",
    "CREATE INDEX mailbox_queue ON mailbox (queue_id)",
    "ALTER TABLE ticket ADD COLUMN mailbox_id INTEGER REFERENCES mailbox ON DELETE SET NULL",
    """CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER NOT NULL UNIQUE
    REFERENCES message, ticket_id INTEGER NOT NULL REFERENCES ticket, mailbox_id INTEGER NOT NULL REFERENCES mailbox,
    recipient TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'bounced')),
    next_at INTEGER NOT NULL, n_attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT, created_at INTEGER NOT NULL,
    sent_at INTEGER)""",
    "CREATE INDEX outbox_due ON outbox (next_at) WHERE state IN ('waiting', 'sending')",
    "CREATE INDEX outbox_ticket ON outbox (ticket_id)",
    "CREATE INDEX outbox_mailbox ON outbox (mailbox_id)",
    """CREATE TABLE mail_attempt (id INTEGER PRIMARY KEY, outbox_id INTEGER NOT NULL REFERENCES outbox
    ON DELETE CASCADE, at INTEGER NOT NULL, is_delivered INTEGER NOT NULL, error TEXT,
    said TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX mail_attempt_outbox ON mail_attempt (outbox_id)",
    """CREATE TABLE mail_fault (id INTEGER PRIMARY KEY, mailbox_id INTEGER NOT NULL REFERENCES mailbox
    ON DELETE CASCADE, uid_validity INTEGER NOT NULL, uid INTEGER NOT NULL, code TEXT NOT NULL,
    params TEXT NOT NULL DEFAULT '{}', at INTEGER NOT NULL, UNIQUE (mailbox_id, uid_validity, uid))""",
)
