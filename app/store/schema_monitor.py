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
