"""Sessions as rows, and failed sign-ins. Statements here are history, like those in schema.py."""

from __future__ import annotations

SESSIONS = (
    """CREATE TABLE session (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL, address TEXT NOT NULL DEFAULT '', device TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX session_user ON session (user_id, last_seen_at)",
    "CREATE INDEX session_seen ON session (last_seen_at)",
    # The key is a SHA-256: people type their passwords where the e-mail address belongs.
    """CREATE TABLE failed_sign_in (key TEXT PRIMARY KEY, n_failed INTEGER NOT NULL, last_at INTEGER NOT NULL,
    wait_until INTEGER NOT NULL, told_at INTEGER) WITHOUT ROWID""",
    "CREATE INDEX failed_sign_in_last ON failed_sign_in (last_at)",
    "CREATE INDEX failed_sign_in_told ON failed_sign_in (told_at) WHERE told_at IS NOT NULL",
)
