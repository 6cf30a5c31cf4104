"""Feedback of readers: posts read, liked and hidden."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.db import Reads, Transaction
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.recommend.domain import Feedback


def of_user(db: Reads, user_id: int, *, limit: int = 2000) -> tuple[Feedback, ...]:
    """The acts of a reader, newest first."""
    rows = db.rows("SELECT * FROM feedback WHERE user_id = ? ORDER BY at DESC LIMIT ?", (user_id, limit))
    return tuple(built(Feedback, row) for row in rows)


def n_readers(db: Reads, post_ids: Iterable[int]) -> dict[int, int]:
    """The number of readers who read or liked each of these posts."""
    rows = db.rows(
        "SELECT post_id, count(DISTINCT user_id) AS n FROM feedback WHERE kind <> 'hide' "
        "AND post_id IN (SELECT value FROM json_each(?)) GROUP BY post_id",
        (listed(post_ids),),
    )
    return {row["post_id"]: row["n"] for row in rows}


def put(tx: Transaction, item: Feedback) -> None:
    """Keep what a reader did with a post; the same again only moves its time."""
    tx.execute(
        "INSERT INTO feedback VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
        (item.user_id, item.post_id, item.kind, item.at),
    )
