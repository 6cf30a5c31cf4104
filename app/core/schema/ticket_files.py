"""What moving in from another desk needs of the schema. Statements here are history, like those in schema.py."""

from __future__ import annotations

FILES = (
    """CREATE TABLE ticket_file (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, form TEXT NOT NULL,
    source TEXT NOT NULL, sha256 TEXT REFERENCES blob, mapping TEXT NOT NULL DEFAULT '{}',
    columns TEXT NOT NULL DEFAULT '[]', sample TEXT NOT NULL DEFAULT '[]', n_records INTEGER NOT NULL DEFAULT 0,
    queue_id INTEGER REFERENCES queue, user_id INTEGER REFERENCES user, created_at INTEGER NOT NULL,
    check_job_id INTEGER REFERENCES job, import_job_id INTEGER REFERENCES job)""",
    # Rows that were there already: neither done nor failed.
    "ALTER TABLE job ADD COLUMN n_known INTEGER NOT NULL DEFAULT 0",
)
