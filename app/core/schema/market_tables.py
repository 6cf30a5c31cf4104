"""What the market monitor gained: the budget of the whole dashboard, and what rules would have raised.

Statements here are history, like those in schema.py.
"""

from __future__ import annotations

MEASURED = (
    """CREATE TABLE alarm_budget (id INTEGER PRIMARY KEY CHECK (id = 1), a_week REAL NOT NULL,
    version INTEGER NOT NULL DEFAULT 1)""",
    # What the rules of an installation had together stays allowed.
    """INSERT INTO alarm_budget (id, a_week) SELECT 1, max(1.0, coalesce(sum(budget), 0)) FROM rule
    WHERE kind IN ('surge', 'volume') AND is_active = 1""",
    # A rule as it was when it was tried on stored history; `key` tells when it has to be tried again.
    """CREATE TABLE rule_check (rule_id INTEGER PRIMARY KEY REFERENCES rule ON DELETE CASCADE, key TEXT NOT NULL,
    claimed_at INTEGER NOT NULL, since INTEGER, until INTEGER, n_alarms INTEGER, n_subjects INTEGER,
    n_known INTEGER)""",
)

OWN_TOPICS = (
    """CREATE TABLE own_topic (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, words TEXT NOT NULL,
    without TEXT NOT NULL DEFAULT '[]', is_active INTEGER NOT NULL DEFAULT 1, version INTEGER NOT NULL DEFAULT 1)""",
    # A topic that is gone keeps its row, because old alerts name it; its title is free again.
    "CREATE UNIQUE INDEX own_topic_title ON own_topic (title COLLATE NOCASE) WHERE is_active = 1",
    """CREATE TABLE own_topic_post (topic_id INTEGER NOT NULL REFERENCES own_topic ON DELETE CASCADE,
    post_id INTEGER NOT NULL REFERENCES post ON DELETE CASCADE, PRIMARY KEY (topic_id, post_id)) WITHOUT ROWID""",
    "CREATE INDEX own_topic_of_post ON own_topic_post (post_id)",
)

TOPIC_EXAMPLES = (
    "ALTER TABLE own_topic ADD COLUMN examples TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE own_topic ADD COLUMN unlike TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE own_topic ADD COLUMN reach REAL NOT NULL DEFAULT 2.0",
    "ALTER TABLE own_topic ADD COLUMN likeness TEXT",
    """CREATE TABLE own_topic_like (post_id INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
    topic_id INTEGER NOT NULL REFERENCES own_topic ON DELETE CASCADE, PRIMARY KEY (post_id, topic_id)) WITHOUT ROWID""",
)

DASHBOARDS = ("ALTER TABLE saved_view ADD COLUMN place TEXT NOT NULL DEFAULT 'inbox'",)

FEED_INTERVAL = ("ALTER TABLE feed ADD COLUMN interval_ms INTEGER",)
