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

USUAL = (
    "ALTER TABLE rule ADD COLUMN kind TEXT NOT NULL DEFAULT 'threshold'",
    "ALTER TABLE rule ADD COLUMN budget REAL NOT NULL DEFAULT 1.0",
    """CREATE TABLE usual (subject_kind TEXT NOT NULL, measure TEXT NOT NULL, subject_id TEXT NOT NULL,
    width_ms INTEGER NOT NULL, rate BLOB NOT NULL, share REAL NOT NULL, rho REAL NOT NULL, phi REAL NOT NULL,
    location REAL NOT NULL, scale REAL NOT NULL, n_days INTEGER NOT NULL, stories_a_day REAL NOT NULL,
    is_daily INTEGER NOT NULL, fitted_at INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, measure, subject_id, width_ms)) WITHOUT ROWID""",
    # Which night's learning was begun and ended, and with whose predictions: one process learns, all judge.
    """CREATE TABLE learning (subject_kind TEXT PRIMARY KEY, day INTEGER NOT NULL, model TEXT NOT NULL,
    claimed_at INTEGER NOT NULL, done_at INTEGER) WITHOUT ROWID""",
    # The last hours of every subject, without touching the rest of the table.
    """CREATE INDEX bucket_recent ON bucket (subject_kind, at, subject_id, n_posts, n_stories, n_negative, n_neutral,
    n_positive)""",
)
