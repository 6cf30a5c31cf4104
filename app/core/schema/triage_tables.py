"""What triage added to the schema: replies that can be called back, presence, what became of suggestions.

Statements here are history, as those of the first schema are.
"""

from __future__ import annotations

RECALL = (
    # An outgoing message leaves the house no earlier than `not_before_at`, and never once `recalled_at` is set.
    "ALTER TABLE message ADD COLUMN not_before_at INTEGER",
    "ALTER TABLE message ADD COLUMN recalled_at INTEGER",
)

PRESENCE = (
    # Who has a ticket open; a row says nothing any more some seconds after `seen_at`.
    """CREATE TABLE presence (ticket_id INTEGER NOT NULL REFERENCES ticket ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, seen_at INTEGER NOT NULL,
    is_typing INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (ticket_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX presence_age ON presence (seen_at)",
)

OUTCOMES = (
    # `kept` is 1 for a suggestion sent as it was, less for every word that was changed, 0 for one turned down.
    """CREATE TABLE outcome (id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket ON DELETE CASCADE,
    user_id INTEGER REFERENCES user ON DELETE SET NULL, kind TEXT NOT NULL CHECK (kind IN ('macro', 'draft')),
    macro_id INTEGER REFERENCES macro ON DELETE CASCADE, intent TEXT NOT NULL DEFAULT '',
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'edited', 'rejected')), kept REAL NOT NULL,
    message_id INTEGER REFERENCES message, at INTEGER NOT NULL)""",
    "CREATE INDEX outcome_macro ON outcome (macro_id, intent)",
    "CREATE INDEX outcome_message ON outcome (message_id) WHERE message_id IS NOT NULL",
)

ROUTING = (
    # What was routed before there was a switch goes on being routed; a new intent begins in the shadow.
    "ALTER TABLE route_rule ADD COLUMN is_trusted INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE route_rule ADD COLUMN least_probability REAL NOT NULL DEFAULT 0",
    """CREATE TABLE routing_rule (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, position INTEGER NOT NULL,
    conditions TEXT NOT NULL, actions TEXT NOT NULL, is_stop INTEGER NOT NULL DEFAULT 1,
    is_active INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1)""",
    "CREATE INDEX routing_rule_order ON routing_rule (position, id)",
)
