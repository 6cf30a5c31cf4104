"""Rows of jobs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.core import paging
from app.core.db import Reads, Transaction
from app.core.errors import NotFound
from app.core.jobs.job import Job, JobError
from app.core.leases import lease_rows
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.scope import Condition
from app.core.storage.row_mapping import built


def _job(row: sqlite3.Row) -> Job:
    errors = tuple(JobError(**one) for one in json.loads(row["errors"]))
    return built(Job, row, mappings=("params",), errors=errors)


def get(db: Reads, job_id: int, *, viewer: Viewer | None = None) -> Job:
    """The job with this id; raises NotFound, also for another person's unless the viewer is an administrator."""
    job = _job(db.got("job", job_id))
    if viewer is not None and job.user_id != viewer.user_id and not viewer.may("*:*"):
        raise NotFound(noun="job", id=job_id)
    return job


def page(db: Reads, *, limit: int = 50, after: str | None = None, user_id: int | None = None) -> Page[Job]:
    """Jobs of a person (None: of everybody), newest first."""
    conditions: list[Condition] = [] if user_id is None else [("user_id = ?", [user_id])]
    return paging.newest(db, table="job", conditions=conditions, make=_job, limit=limit, after=after)


def insert(tx: Transaction, *, kind: str, params: Mapping[str, Any], user_id: int | None, at: int) -> int:
    """Queue a job; returns its id."""
    return tx.insert("job", {"kind": kind, "params": params, "user_id": user_id, "created_at": at})


def is_any_due(db: Reads, *, stale_at: int) -> bool:
    """Return True where `claim` would find a job; does not lock the database."""
    return (
        db.row(
            "SELECT 1 FROM job WHERE state = 'queued' OR (state = 'working' AND claimed_at <= ?) LIMIT 1", (stale_at,)
        )
        is not None
    )


def claim(tx: Transaction, *, now: int, stale_at: int) -> Job | None:
    """Claim the oldest job that is queued, or whose worker has written nothing since `stale_at`; None without one."""
    row = tx.row(
        "SELECT id FROM job WHERE state = 'queued' OR (state = 'working' AND claimed_at <= ?) ORDER BY id LIMIT 1",
        (stale_at,),
    )
    if row is None:
        return None
    tx.execute("UPDATE job SET state = 'working', claimed_at = ? WHERE id = ?", (now, row["id"]))
    lease_rows.hold(tx, "job", [row["id"]], until=now)
    return get(tx, row["id"])


def progress(
    tx: Transaction,
    job_id: int,
    *,
    at: int,
    n_total: int,
    n_done: int,
    n_failed: int,
    errors: Sequence[JobError],
    n_known: int = 0,
) -> None:
    """Write down the progress of a job and the time `at`, which shows that its worker lives."""
    tx.execute(
        "UPDATE job SET claimed_at = ?, n_total = ?, n_done = ?, n_failed = ?, n_known = ?, errors = ? WHERE id = ?",
        (at, n_total, n_done, n_failed, n_known, [asdict(one) for one in errors], job_id),
    )


def undone_by(db: Reads, job_id: int) -> int | None:
    """The id of the job that undoes this one; None without one."""
    found: int | None = db.value(
        "SELECT id FROM job WHERE kind = 'bulk_undo' AND id > ? AND json_extract(params, '$.job_id') = ?",
        (job_id, job_id),
    )
    return found


def finish(tx: Transaction, job_id: int, *, state: str, at: int) -> None:
    """End a job as completed or failed."""
    tx.execute("UPDATE job SET state = ?, finished_at = ? WHERE id = ?", (state, at, job_id))
