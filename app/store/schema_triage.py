"""What triage added to the schema: replies that can be called back.

Statements here are history, as those of the first schema are.
"""

from __future__ import annotations

RECALL = (
    # An outgoing message leaves the house no earlier than `not_before_at`, and never once `recalled_at` is set.
    "ALTER TABLE message ADD COLUMN not_before_at INTEGER",
    "ALTER TABLE message ADD COLUMN recalled_at INTEGER",
)
