"""Quarantine: what could not be filed, with its raw form. Statements here are history, like those in schema.py."""

from __future__ import annotations

QUARANTINE = (
    """CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('mail', 'ticket', 'post', 'record')), form TEXT NOT NULL, source TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE, mailbox_id INTEGER REFERENCES mailbox ON DELETE SET NULL, uid_validity INTEGER,
    uid INTEGER, feed_id INTEGER REFERENCES feed ON DELETE SET NULL,
    ticket_file_id INTEGER REFERENCES ticket_file ON DELETE SET NULL, row INTEGER,
    user_id INTEGER REFERENCES user ON DELETE SET NULL, code TEXT NOT NULL, params TEXT NOT NULL DEFAULT '{}',
    raw BLOB, size INTEGER NOT NULL DEFAULT 0, is_whole INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL,
    n_tries INTEGER NOT NULL DEFAULT 0, tried_at INTEGER,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'filed', 'discarded')))""",
    "CREATE INDEX quarantine_open ON quarantine (id) WHERE state = 'waiting'",
    "CREATE INDEX quarantine_mailbox ON quarantine (mailbox_id, id)",
    "CREATE INDEX quarantine_feed ON quarantine (feed_id)",
    # Without the raw forms, which may be large.
    """CREATE VIEW quarantine_waiting AS SELECT id, kind, form, source, mailbox_id, uid_validity, uid, feed_id,
    ticket_file_id, row, user_id, code, params, size, is_whole, at, n_tries, tried_at, state
    FROM quarantine WHERE state = 'waiting'""",
    # Mail that could not be read so far is still in its mailbox, under its UID.
    """INSERT INTO quarantine (kind, form, source, key, mailbox_id, uid_validity, uid, code, params, at)
    SELECT 'mail', 'eml', mailbox.address, 'mailbox:' || mailbox_id || ':' || f.uid_validity || ':' || f.uid,
    mailbox_id, f.uid_validity, f.uid, f.code, f.params, f.at
    FROM mail_fault f JOIN mailbox ON mailbox.id = f.mailbox_id ORDER BY f.id""",
    "DROP TABLE mail_fault",
)
