"""Corrections: labels by people in place of the model's, each of them a training example."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.core import paging
from app.core.db import Reads, Transaction
from app.core.paging import Page
from app.core.prediction import Correction, Role
from app.core.scope import listed
from app.core.storage.row_mapping import built


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """A correction in force with the text it is about; `target` is the span of a mention in it, in characters."""

    correction: Correction
    role: Role
    text: str
    target: tuple[int, int] | None


_LAST_WORDS = """SELECT correction.*, prediction.role AS role FROM correction
JOIN predicted AS prediction ON prediction.id = correction.prediction_id
WHERE correction.undone_at IS NULL AND correction.text <> ''
AND correction.id > ?
AND NOT EXISTS (SELECT 1 FROM correction AS later WHERE later.subject_kind = correction.subject_kind
AND later.subject_id = correction.subject_id AND later.task = correction.task AND later.undone_at IS NULL
AND later.text = correction.text AND later.id > correction.id) ORDER BY correction.id LIMIT ?"""


def _correction(row: sqlite3.Row) -> Correction:
    return built(Correction, row, is_undone=row["undone_at"] is not None)


def get(db: Reads, correction_id: int) -> Correction:
    """Return the correction with this id; raise NotFound."""
    return _correction(db.got("correction", correction_id))


def of_subjects(db: Reads, *, subject_kind: str, subject_ids: Iterable[int]) -> tuple[Correction, ...]:
    """Return the corrections of these messages, posts or mentions, oldest first, undone ones too."""
    rows = db.rows(
        "SELECT * FROM correction WHERE subject_kind = ? "
        "AND subject_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (subject_kind, listed(subject_ids)),
    )
    return tuple(_correction(row) for row in rows)


def in_force(db: Reads, *, subject_kind: str, subject_id: int, task: str, text: str | None = None) -> Correction | None:
    """Return the newest correction of a subject and task that is not undone; with `text`, one of this very text."""
    row = db.row(
        "SELECT * FROM correction WHERE subject_kind = ? AND subject_id = ? AND task = ? AND undone_at IS NULL "
        "AND text = coalesce(?, text) ORDER BY id DESC LIMIT 1",
        (subject_kind, subject_id, task, text),
    )
    return None if row is None else _correction(row)


def tasks_in_force(
    db: Reads, *, subject_kind: str, subject_ids: Iterable[int], text: str | None = None
) -> set[tuple[int, str]]:
    """Return the subjects and tasks with a person's label in force; with `text`, a label of this very text."""
    rows = db.rows(
        "SELECT subject_id, task FROM correction WHERE subject_kind = ? "
        "AND subject_id IN (SELECT value FROM json_each(?)) AND undone_at IS NULL AND text = coalesce(?, text)",
        (subject_kind, listed(subject_ids), text),
    )
    return {(row["subject_id"], row["task"]) for row in rows}


def page(db: Reads, *, limit: int = 50, after: str | None = None) -> Page[Correction]:
    """Return corrections, newest first."""
    return paging.newest(db, table="correction", conditions=[], make=_correction, limit=limit, after=after)


def count_by_task(db: Reads) -> dict[str, int]:
    """Return the number of corrections in force by task."""
    rows = db.rows("SELECT task, count(*) AS n FROM correction WHERE undone_at IS NULL GROUP BY task ORDER BY task")
    return {row["task"]: row["n"] for row in rows}


def most_used(db: Reads, *, task: str, limit: int) -> list[str]:
    """Return the most frequent labels among the last thousand corrections of a task."""
    rows = db.rows(
        "SELECT label, count(*) AS n FROM (SELECT label FROM correction WHERE task = ? AND undone_at IS NULL "
        "ORDER BY id DESC LIMIT 1000) GROUP BY label ORDER BY n DESC, label LIMIT ?",
        (task, limit),
    )
    return [row["label"] for row in rows]


def each(db: Reads, *, chunk: int = 500) -> Iterator[Corrected]:
    """Yield the last correction in force of each text and task, oldest first."""
    last = 0
    while True:
        rows = db.rows(_LAST_WORDS, (last, chunk))
        if not rows:
            return
        yield from (_corrected(row) for row in rows)
        last = rows[-1]["id"]


def _corrected(row: sqlite3.Row) -> Corrected:
    target = None if row["target_start"] is None else (row["target_start"], row["target_end"])
    return Corrected(correction=_correction(row), role=row["role"], text=row["text"], target=target)


def insert(
    tx: Transaction,
    *,
    prediction_id: int,
    subject_kind: str,
    subject_id: int,
    task: str,
    label_before: str,
    label: str,
    model: str,
    user_id: int,
    created_at: int,
    text: str,
    target: tuple[int, int] | None = None,
    is_asked: bool = False,
) -> int:
    """Keep a person's label with the text that they saw; return its id. `is_asked`: it answers a lesson's question."""
    return tx.insert(
        "correction",
        {
            "prediction_id": prediction_id,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "task": task,
            "label_before": label_before,
            "label": label,
            "model": model,
            "user_id": user_id,
            "created_at": created_at,
            "text": text,
            "target_start": None if target is None else target[0],
            "target_end": None if target is None else target[1],
            "is_asked": is_asked,
        },
    )


def mark_undone(tx: Transaction, correction_id: int, *, at: int) -> bool:
    """Mark a correction as undone; return False where it was so before."""
    return (
        tx.execute("UPDATE correction SET undone_at = ? WHERE id = ? AND undone_at IS NULL", (at, correction_id)) == 1
    )
