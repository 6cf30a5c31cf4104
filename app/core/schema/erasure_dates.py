"""When a customer was erased."""

from __future__ import annotations

ERASURE = (
    "ALTER TABLE customer ADD COLUMN erased_at INTEGER",
    "CREATE INDEX notification_noun ON notification (noun, noun_id)",
)

WIPING = (
    # The row that stands while words of erased customers may still lie in the search index and in free pages.
    "CREATE TABLE wiping (id INTEGER PRIMARY KEY CHECK (id = 1), since INTEGER NOT NULL)",
    # Empty, but while free pages are written over.
    "CREATE TABLE wiping_page (id INTEGER PRIMARY KEY, content BLOB NOT NULL)",
)
