"""What undo needs of the schema. Statements here are history, like those in schema.py."""

from __future__ import annotations

# What agents did with a macro goes with it, and comes back with it.
REMOVED = (
    """CREATE TABLE removed_outcome (id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket
    ON DELETE CASCADE, user_id INTEGER REFERENCES user ON DELETE SET NULL, kind TEXT NOT NULL, macro_id INTEGER,
    intent TEXT NOT NULL, verdict TEXT NOT NULL, kept REAL NOT NULL, message_id INTEGER, at INTEGER NOT NULL)""",
)
