"""SLA policies, the pauses of a ticket's clock, and when a deadline comes near."""

from __future__ import annotations

POLICIES = (
    """CREATE TABLE sla_policy (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, zone TEXT NOT NULL DEFAULT 'UTC',
    hours TEXT NOT NULL DEFAULT '[]', holidays TEXT NOT NULL DEFAULT '[]', first_response_ms INTEGER NOT NULL,
    resolution_ms INTEGER NOT NULL, is_default INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1)""",
    "CREATE UNIQUE INDEX sla_policy_default ON sla_policy (is_default) WHERE is_default = 1",
    "ALTER TABLE queue ADD COLUMN sla_policy_id INTEGER REFERENCES sla_policy ON DELETE SET NULL",
    # [[from, to], …] in milliseconds; an open end is null. NULL: never paused.
    "ALTER TABLE ticket ADD COLUMN pauses TEXT",
    "ALTER TABLE ticket ADD COLUMN first_risk_at INTEGER",
    "ALTER TABLE ticket ADD COLUMN resolution_risk_at INTEGER",
)
