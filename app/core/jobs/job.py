"""Jobs: long work that a worker does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JobKind = Literal[
    "import_posts",
    "import_tickets",
    "check_file",
    "import_file",
    "reindex_articles",
    "fetch_feed",
    "bulk_edit",
    "bulk_undo",
    "count_topic",
]
JobState = Literal["queued", "working", "completed", "failed"]


@dataclass(frozen=True, kw_only=True)
class JobError:
    """A row that a job could not use: its number, and the reason as a code with parameters."""

    row: int
    code: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A long piece of work: progress in items, errors of rows as codes; claimed by a conditional UPDATE.

    `n_known` counts items that were stored before.
    """

    id: int
    kind: JobKind
    params: Mapping[str, Any] = field(default_factory=dict)
    state: JobState = "queued"
    n_total: int = 0
    n_done: int = 0
    n_failed: int = 0
    n_known: int = 0
    errors: tuple[JobError, ...] = ()
    user_id: int | None = None
    created_at: int = 0
    claimed_at: int | None = None
    finished_at: int | None = None
