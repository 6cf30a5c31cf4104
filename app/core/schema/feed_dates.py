"""Feeds whose posts have a date and no time.

Statements here are history, like those in schema.py.
"""

from __future__ import annotations

DATES = (
    "ALTER TABLE feed ADD COLUMN is_daily INTEGER NOT NULL DEFAULT 0",
    """UPDATE feed SET is_daily = coalesce((SELECT precision = 'day' FROM post WHERE post.feed_id = feed.id
    ORDER BY occurred_at DESC, id DESC LIMIT 1), 0)""",
)
