"""Hourly counts of each subject: kept up to date with every post, so that no series needs a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.core.db import ROWS_AT_ONCE, Reads, Transaction, marks, statement
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.market.domain.series import Bucket, Window

_COUNTS = ("n_posts", "n_stories", "n_negative", "n_neutral", "n_positive")
_ADDED_UP = (*_COUNTS, "n_abstained", "score_sum")
_COLUMNS = ("subject_kind", "subject_id", "at", *_ADDED_UP)
_PERIOD = "WHERE subject_kind = ? AND at >= ? AND at < ?"


_ON_CONFLICT = "ON CONFLICT DO UPDATE SET " + ", ".join(f"{name} = {name} + excluded.{name}" for name in _ADDED_UP)


def _sums(*columns: str) -> str:
    return ", ".join(f"sum({name}) AS {name}" for name in columns)


def of_subject(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int) -> tuple[Bucket, ...]:
    """One subject's buckets that begin in [since, until), oldest first; silent hours have none."""
    rows = db.rows(
        "SELECT * FROM bucket WHERE subject_kind = ? AND subject_id = ? AND at >= ? AND at < ? ORDER BY at",
        (subject_kind, subject_id, since, until),
    )
    return tuple(built(Bucket, row) for row in rows)


def of_feeds(db: Reads, feed_ids: Iterable[int], *, since: int, until: int) -> tuple[Bucket, ...]:
    """Buckets of the market in [since, until), as some feeds add up to it: for a viewer who sees no others.

    A story that two of them tell counts in both.
    """
    rows = db.rows(
        statement(
            "SELECT 'market' AS subject_kind, 'all' AS subject_id, at,",
            _sums(*_ADDED_UP),
            "FROM bucket WHERE subject_kind = 'feed'",
            "AND CAST(subject_id AS INTEGER) IN (SELECT value FROM json_each(?))",
            "AND at >= ? AND at < ? GROUP BY at ORDER BY at",
        ),
        (listed(feed_ids), since, until),
    )
    return tuple(built(Bucket, row) for row in rows)


def every(db: Reads) -> tuple[Bucket, ...]:
    """All buckets, by subject and time."""
    return tuple(built(Bucket, row) for row in db.rows("SELECT * FROM bucket ORDER BY subject_kind, subject_id, at"))


def windows(db: Reads, *, subject_kind: str, since: int, until: int) -> dict[str, Window]:
    """Sums of every subject of a kind over the buckets that begin in [since, until), by subject id."""
    sums = _sums(*_COUNTS, "score_sum")
    rows = db.rows(
        statement("SELECT subject_id,", sums, "FROM bucket", _PERIOD, "GROUP BY subject_id"),
        (subject_kind, since, until),
    )
    return {row["subject_id"]: built(Window, row, since=since, until=until) for row in rows}


def counts(db: Reads, *, subject_kind: str, since: int, until: int) -> dict[str, Window]:
    """As `windows`, without the sum of scores, which no rule asks for; the cost is that of [since, until)."""
    # Covered by its index, which begins with the hour: the cost is that of the stretch, however long the history.
    source = statement("FROM bucket INDEXED BY bucket_recent", _PERIOD, "GROUP BY subject_id")
    rows = db.rows(statement("SELECT subject_id,", _sums(*_COUNTS), source), (subject_kind, since, until))
    return {row["subject_id"]: built(Window, row, since=since, until=until) for row in rows}


def window(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int) -> Window:
    """Sums of one subject over the buckets that begin in [since, until)."""
    sums = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in (*_COUNTS, "score_sum"))
    (row,) = db.rows(
        statement("SELECT", sums, "FROM bucket", _PERIOD, "AND subject_id = ?"),
        (subject_kind, since, until, subject_id),
    )
    return built(Window, row, since=since, until=until)


def hours(db: Reads, *, subject_kind: str, since: int, until: int) -> Iterator[tuple[str, int, int, int]]:
    """Subject id, hour, stories with a class and negative ones of every bucket of a kind in [since, until)."""
    sql = (
        "SELECT subject_id, at, n_negative + n_neutral + n_positive, n_negative FROM bucket INDEXED BY bucket_recent "
        "WHERE subject_kind = ? AND at >= ? AND at < ?"
    )
    for row in db.rows(sql, (subject_kind, since, until)):
        yield tuple(row)


def recent(db: Reads, *, subject_kind: str, since: Sequence[int], until: int) -> dict[str, tuple[tuple[int, int], ...]]:
    """Of every subject heard of lately, stories with a class and negative ones from each of these hours on.

    One pass over the hours from the earliest `since` to before `until`.
    """
    parts = ", ".join(
        "sum(CASE WHEN at >= ? THEN n_negative + n_neutral + n_positive ELSE 0 END), "
        "sum(CASE WHEN at >= ? THEN n_negative ELSE 0 END)"
        for _ in since
    )
    sql = statement(
        "SELECT subject_id,",
        parts,
        "FROM bucket INDEXED BY bucket_recent WHERE subject_kind = ? AND at >= ? AND at < ? GROUP BY subject_id",
    )
    bound = [*(at for one in since for at in (one, one)), subject_kind, min(since), until]
    return {row[0]: tuple(zip(row[1::2], row[2::2], strict=True)) for row in db.rows(sql, bound)}


def add(tx: Transaction, deltas: Iterable[Bucket]) -> None:
    """Add counts, which may be negative, to the buckets they name; hours that come to nothing are dropped."""
    changed = list(deltas)
    for start in range(0, len(changed), ROWS_AT_ONCE):
        some = changed[start : start + ROWS_AT_ONCE]
        values = ", ".join([marks(_COLUMNS)] * len(some))
        sql = statement("INSERT INTO bucket (", ", ".join(_COLUMNS), ") VALUES", values, _ON_CONFLICT)
        tx.execute(sql, [getattr(bucket, name) for bucket in some for name in _COLUMNS])
    tx.execute_many(
        "DELETE FROM bucket WHERE subject_kind = ? AND subject_id = ? AND at = ? AND n_posts = 0",
        [(bucket.subject_kind, bucket.subject_id, bucket.at) for bucket in changed if bucket.n_posts < 0],
    )
