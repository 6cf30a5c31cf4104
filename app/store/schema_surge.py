"""Tables of the surge statistics: evidence of alerts, what people said of them, baselines."""

from __future__ import annotations

EVIDENCE = (
    """CREATE TABLE evidence (alert_id INTEGER PRIMARY KEY REFERENCES alert ON DELETE CASCADE, body TEXT NOT NULL,
    made_at INTEGER NOT NULL)""",
    # One word of each person on an alert; a missed surge names no alert but a subject and a time.
    """CREATE TABLE remark (id INTEGER PRIMARY KEY, kind TEXT NOT NULL
    CHECK (kind IN ('false_alarm', 'useful', 'missed')), alert_id INTEGER REFERENCES alert ON DELETE CASCADE,
    subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL, occurred_at INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user, comment TEXT NOT NULL DEFAULT '', at INTEGER NOT NULL)""",
    "CREATE UNIQUE INDEX remark_alert ON remark (alert_id, user_id) WHERE alert_id IS NOT NULL",
    "CREATE INDEX remark_recent ON remark (occurred_at)",
)
