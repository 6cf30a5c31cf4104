"""What teaching needs of the schema. Statements here are history, like those in schema.py."""

from __future__ import annotations

# Who corrects what they stumble over corrects mistakes; only answers to questions say how often the model is right.
ASKED = (
    "ALTER TABLE correction ADD COLUMN is_asked INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX correction_asked ON correction (user_id, created_at) WHERE is_asked = 1",
)
