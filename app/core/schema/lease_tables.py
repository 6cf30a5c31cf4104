"""Claims with the process that holds them, and a row to write where writing is tried.

Statements here are history, like those in schema.py.
"""

from __future__ import annotations

ANSWERED = (
    # A key was taken before its request was done; now it stands with its answer only.
    "DELETE FROM idempotency WHERE status IS NULL",
    "CREATE TABLE write_test (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL)",
)

LEASES = (
    """CREATE TABLE lease (noun TEXT NOT NULL, noun_id NOT NULL, holder TEXT NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (noun, noun_id)) WITHOUT ROWID""",
)
