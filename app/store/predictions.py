"""Predictions: what each artifact said of each text, kept as it was said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache

from app.domain.prediction import Prediction, Scored, StoredPrediction
from app.store.db import Reads, Transaction
from app.store.rows import built
from app.store.scope import listed

Said = tuple[str, int, Prediction]
"""The kind and the id of a subject, and what was said of it."""

_COLUMNS = (
    "subject_kind", "subject_id", "task", "role", "model", "label", "probability", "top", "labels", "abstained", "band",
    "band_precision", "is_shadow", "created_at",
)  # fmt: skip


def of_row(row: sqlite3.Row) -> StoredPrediction:
    """A prediction of its row, which may have more columns."""
    top = tuple(Scored(label=label, probability=probability) for label, probability in json.loads(row["top"]))
    prediction = built(Prediction, row, tuples=("labels",), flags=("abstained", "is_shadow"), top=top)
    return built(StoredPrediction, row, prediction=prediction)


def get(db: Reads, prediction_id: int) -> StoredPrediction:
    """The prediction with this id; raises NotFound."""
    return of_row(db.got("prediction", prediction_id))


def of_subjects(db: Reads, *, subject_kind: str, subject_ids: Iterable[int]) -> tuple[StoredPrediction, ...]:
    """All predictions of these messages, posts or mentions, oldest first."""
    rows = db.rows(
        "SELECT * FROM prediction WHERE subject_kind = ? "
        "AND subject_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (subject_kind, listed(subject_ids)),
    )
    return tuple(of_row(row) for row in rows)


def of_messages(db: Reads, message_ids: Iterable[int]) -> tuple[StoredPrediction, ...]:
    """All predictions of these messages, oldest first."""
    return of_subjects(db, subject_kind="message", subject_ids=message_ids)


def of_post(db: Reads, post_id: int) -> tuple[StoredPrediction, ...]:
    """All predictions of a post, then those of its mentions."""
    mention_ids = [row["id"] for row in db.rows("SELECT id FROM mention WHERE post_id = ?", (post_id,))]
    return (
        *of_subjects(db, subject_kind="post", subject_ids=[post_id]),
        *of_subjects(db, subject_kind="mention", subject_ids=mention_ids),
    )


def latest(db: Reads, *, subject_kind: str, subject_id: int, task: str) -> StoredPrediction | None:
    """The newest prediction of one task that is not a shadow's."""
    row = db.row(
        "SELECT * FROM prediction WHERE subject_kind = ? AND subject_id = ? AND task = ? AND is_shadow = 0 "
        "ORDER BY id DESC LIMIT 1",
        (subject_kind, subject_id, task),
    )
    return None if row is None else of_row(row)


def insert_all(
    tx: Transaction, *, subject_kind: str, subject_id: int, predictions: Sequence[Prediction], at: int
) -> None:
    """Keep what was said of one subject."""
    insert_each(tx, [(subject_kind, subject_id, prediction) for prediction in predictions], at=at)


def insert_each(tx: Transaction, said: Iterable[Said], *, at: int) -> None:
    """Keep what was said of many subjects."""
    rows = [_values(kind, subject_id, prediction, at) for kind, subject_id, prediction in said]
    tx.insert_rows("prediction", _COLUMNS, rows)


def _values(subject_kind: str, subject_id: int, prediction: Prediction, at: int) -> tuple[object, ...]:
    return (
        subject_kind,
        subject_id,
        prediction.task,
        prediction.role,
        prediction.model,
        prediction.label,
        round(prediction.probability, 6),
        _top(prediction),
        prediction.labels or "[]",
        prediction.abstained,
        prediction.band,
        prediction.band_precision,
        prediction.is_shadow,
        at,
    )


def _top(prediction: Prediction) -> str:
    """The best labels as JSON; four digits are finer than the calibration and keep ten million rows small."""
    pairs = (f"[{_quoted(scored.label)},{round(scored.probability, 4)!r}]" for scored in prediction.top)
    return "[" + ",".join(pairs) + "]"


@lru_cache(maxsize=1024)
def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)
