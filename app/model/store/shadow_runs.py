"""The texts that a model in shadow has still to read, and its agreement with the live one."""

from __future__ import annotations

from app.core.db import Reads

NEWEST = 10_000
"""Predictions, from the newest back, that are looked through: a bound on the work, whatever is stored."""


def unread(db: Reads, *, model: str, subject_kind: str, limit: int) -> tuple[int, ...]:
    """Return the newest messages or posts that the live model has read and `model` has not read in shadow."""
    # The plus keeps the lookup on the subject's few rows instead of all that the shadow ever said.
    rows = db.rows(
        """SELECT DISTINCT p.subject_id AS id FROM predicted p
        WHERE p.id > (SELECT COALESCE(MAX(id), 0) - ? FROM prediction) AND p.is_shadow = 0 AND p.subject_kind = ?
        AND NOT EXISTS (SELECT 1 FROM predicted s WHERE s.subject_kind = p.subject_kind
        AND s.subject_id = p.subject_id AND +s.is_shadow = 1 AND +s.model = ?)
        ORDER BY p.subject_id DESC LIMIT ?""",
        (NEWEST, subject_kind, model, limit),
    )
    return tuple(row["id"] for row in rows)


def label_pairs(db: Reads, *, model: str) -> tuple[tuple[str, str, str, int], ...]:
    """Return (task, label of the live model, label of the shadow, count) over the newest texts that both have read."""
    rows = db.rows(
        """SELECT s.task AS task, l.label AS live, s.label AS shadow, COUNT(*) AS n
        FROM (SELECT subject_kind, subject_id, task, label FROM predicted
        WHERE is_shadow = 1 AND model = ? ORDER BY id DESC LIMIT ?) s
        JOIN predicted l ON l.id = (SELECT MAX(x.id) FROM predicted x WHERE x.subject_kind = s.subject_kind
        AND x.subject_id = s.subject_id AND x.task = s.task AND x.is_shadow = 0)
        GROUP BY s.task, l.label, s.label ORDER BY n DESC, live, shadow""",
        (model, NEWEST),
    )
    return tuple((row["task"], row["live"], row["shadow"], row["n"]) for row in rows)
