"""When a customer was erased."""

from __future__ import annotations

ERASURE = (
    "ALTER TABLE customer ADD COLUMN erased_at INTEGER",
    "CREATE INDEX notification_noun ON notification (noun, noun_id)",
)
