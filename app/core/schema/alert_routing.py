"""What alerts and their receivers gained: routes, acknowledgement notes, and who was told what.

Statements here are history, like those in schema.py.
"""

from __future__ import annotations

ROUTES = (
    "ALTER TABLE receiver ADD COLUMN matchers TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE receiver ADD COLUMN group_by TEXT NOT NULL DEFAULT 'alert'",
    "ALTER TABLE receiver ADD COLUMN group_wait_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE receiver ADD COLUMN repeat_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE receiver ADD COLUMN escalate_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE receiver ADD COLUMN zone TEXT NOT NULL DEFAULT 'UTC'",
    "ALTER TABLE receiver ADD COLUMN quiet_from INTEGER",
    "ALTER TABLE receiver ADD COLUMN quiet_until INTEGER",
    "ALTER TABLE receiver ADD COLUMN digest_at INTEGER",
    "ALTER TABLE receiver ADD COLUMN digested_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE receiver ADD COLUMN locale TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE notification ADD COLUMN group_key TEXT",
    "CREATE INDEX notification_group ON notification (receiver_id, group_key) WHERE group_key IS NOT NULL",
    # One row for everything that a receiver is to hear of an alert: asking again finds it and tells nobody twice.
    """CREATE TABLE telling (key TEXT PRIMARY KEY, alert_id INTEGER NOT NULL REFERENCES alert ON DELETE CASCADE,
    notification_id INTEGER NOT NULL REFERENCES notification ON DELETE CASCADE, kind TEXT NOT NULL,
    at INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX telling_alert ON telling (alert_id)",
    "CREATE INDEX telling_notification ON telling (notification_id)",
    """INSERT INTO telling SELECT dedup_key, noun_id, id, verb, created_at FROM notification
    WHERE noun = 'alert' AND verb IN ('firing', 'resolved')""",
)

LIFE = (
    "ALTER TABLE rule ADD COLUMN cooldown_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE alert ADD COLUMN acknowledged_note TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE alert ADD COLUMN muted_by INTEGER REFERENCES alert",
    "CREATE INDEX alert_resolved ON alert (rule_id, resolved_at) WHERE state = 'resolved'",
)

FEEDS = (
    "ALTER TABLE feed ADD COLUMN language TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feed ADD COLUMN silent_after_ms INTEGER",
    "ALTER TABLE feed ADD COLUMN last_received_at INTEGER",
    "UPDATE feed SET last_received_at = (SELECT max(received_at) FROM post WHERE post.feed_id = feed.id)",
)
