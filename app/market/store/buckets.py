"""Hourly counts of each subject: kept up to date with every post, so that no series needs a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.core.db import ROWS_AT_ONCE, Reads, Transaction, marks, statement
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.market.domain.series import Bucket, Window

_COLUMNS = (
    "subject_kind", "subject_id", "at", "n_posts", "n_stories", "n_negative", "n_neutral", "n_positive", "n_abstained",
    "score_sum",
)  # fmt: skip

_ADDED = """ON CONFLICT DO UPDATE SET
n_posts = n_posts + excluded.n_posts, n_stories = n_stories + excluded.n_stories,
n_negative = n_negative + excluded.n_negative, n_neutral = n_neutral + excluded.n_neutral,
n_positive = n_positive + excluded.n_positive, n_abstained = n_abstained + excluded.n_abstained,
score_sum = score_sum + excluded.score_sum"""

# Covered by its index, which begins with the hour: the cost is that of the stretch, however long the history.
_COUNTS = """SELECT subject_id, sum(n_posts) AS n_posts, sum(n_stories) AS n_stories, sum(n_negative) AS n_negative,
sum(n_neutral) AS n_neutral, sum(n_positive) AS n_positive FROM bucket INDEXED BY bucket_recent
WHERE subject_kind = ? AND at >= ? AND at < ? GROUP BY subject_id"""

_SUMS = """SELECT subject_id, sum(n_posts) AS n_posts, sum(n_stories) AS n_stories, sum(n_negative) AS n_negative,
sum(n_neutral) AS n_neutral, sum(n_positive) AS n_positive, sum(score_sum) AS score_sum FROM bucket
WHERE subject_kind = ? AND at >= ? AND at < ? GROUP BY subject_id"""


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
        "SELECT 'market' AS subject_kind, 'all' AS subject_id, at, sum(n_posts) AS n_posts, "
        "sum(n_stories) AS n_stories, sum(n_negative) AS n_negative, sum(n_neutral) AS n_neutral, "
        "sum(n_positive) AS n_positive, sum(n_abstained) AS n_abstained, sum(score_sum) AS score_sum FROM bucket "
        "WHERE subject_kind = 'feed' AND CAST(subject_id AS INTEGER) IN (SELECT value FROM json_each(?)) "
        "AND at >= ? AND at < ? GROUP BY at ORDER BY at",
        (listed(feed_ids), since, until),
    )
    return tuple(built(Bucket, row) for row in rows)


def every(db: Reads) -> tuple[Bucket, ...]:
    """All buckets, by subject and time."""
    return tuple(built(Bucket, row) for row in db.rows("SELECT * FROM bucket ORDER BY subject_kind, subject_id, at"))


def windows(db: Reads, *, subject_kind: str, since: int, until: int) -> dict[str, Window]:
    """Sums of every subject of a kind over the buckets that begin in [since, until), by subject id."""
    return {
        row["subject_id"]: built(Window, row, since=since, until=until)
        for row in db.rows(_SUMS, (subject_kind, since, until))
    }


def counts(db: Reads, *, subject_kind: str, since: int, until: int) -> dict[str, Window]:
    """As `windows`, without the sum of scores, which no rule asks for; the cost is that of [since, until)."""
    return {
        row["subject_id"]: built(Window, row, since=since, until=until)
        for row in db.rows(_COUNTS, (subject_kind, since, until))
    }


def window(db: Reads, *, subject_kind: str, subject_id: str, since: int, until: int) -> Window:
    """Sums of one subject over the buckets that begin in [since, until)."""
    row = db.row(
        "SELECT coalesce(sum(n_posts), 0) AS n_posts, coalesce(sum(n_stories), 0) AS n_stories, "
        "coalesce(sum(n_negative), 0) AS n_negative, coalesce(sum(n_neutral), 0) AS n_neutral, "
        "coalesce(sum(n_positive), 0) AS n_positive, coalesce(sum(score_sum), 0.0) AS score_sum FROM bucket "
        "WHERE subject_kind = ? AND subject_id = ? AND at >= ? AND at < ?",
        (subject_kind, subject_id, since, until),
    )
    return Window(since=since, until=until) if row is None else built(Window, row, since=since, until=until)


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
        sql = statement("INSERT INTO bucket (", ", ".join(_COLUMNS), ") VALUES", values, _ADDED)
        tx.execute(sql, [getattr(bucket, name) for bucket in some for name in _COLUMNS])
    tx.execute_many(
        "DELETE FROM bucket WHERE subject_kind = ? AND subject_id = ? AND at = ? AND n_posts = 0",
        [(bucket.subject_kind, bucket.subject_id, bucket.at) for bucket in changed if bucket.n_posts < 0],
    )
