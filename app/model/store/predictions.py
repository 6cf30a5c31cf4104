"""Predictions: what each artifact said of each text, kept as it was said.

The best labels are kept in four bytes each: the number of the label, and its probability in ten thousandths. Where a
number needs more than two bytes they are JSON: text where all others are a blob.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.core.db import Reads, Transaction
from app.core.errors import NotFound
from app.core.prediction import Prediction, Scored, StoredPrediction
from app.core.scope import listed
from app.core.storage.dictionary_codec import numbers
from app.core.storage.row_mapping import built

Said = tuple[str, int, Prediction]
"""The kind and the id of a subject, and what was said of it."""

VERDICT = ("subject_kind", "task", "role", "model", "label", "abstained", "band", "band_precision")
MILLION = 1_000_000
STEPS = 10_000
MOST = 65_535
"""The largest number in two bytes."""

Top = Sequence[tuple[str, float]]
"""Labels and probabilities, the best first."""

_COLUMNS = ("subject_id", "verdict_id", "probability", "top", "labels", "is_shadow", "created_at")


def of_rows(db: Reads, rows: Sequence[sqlite3.Row]) -> tuple[StoredPrediction, ...]:
    """Predictions of rows of `predicted`, which may have more columns."""
    codes = {code for row in rows for code in _codes_in(row["top"])}
    sql = "SELECT id, name FROM label WHERE id IN (SELECT value FROM json_each(?))"
    names = {row["id"]: row["name"] for row in db.rows(sql, (listed(codes),))} if codes else {}
    return tuple(_of_row(row, names=names) for row in rows)


def _of_row(row: sqlite3.Row, *, names: Mapping[int, str]) -> StoredPrediction:
    top = tuple(Scored(label=label, probability=chance) for label, chance in _unpacked(row["top"], names=names))
    prediction = built(Prediction, row, tuples=("labels",), flags=("abstained", "is_shadow"), top=top)
    return built(StoredPrediction, row, prediction=prediction)


def get(db: Reads, prediction_id: int) -> StoredPrediction:
    """The prediction with this id; raises NotFound."""
    found = of_rows(db, db.rows("SELECT * FROM predicted WHERE id = ?", (prediction_id,)))
    if not found:
        raise NotFound(noun="prediction", id=prediction_id)
    return found[0]


def of_subjects(db: Reads, *, subject_kind: str, subject_ids: Iterable[int]) -> tuple[StoredPrediction, ...]:
    """All predictions of these messages, posts or mentions, oldest first."""
    rows = db.rows(
        "SELECT * FROM predicted WHERE subject_kind = ? AND subject_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (subject_kind, listed(subject_ids)),
    )
    return of_rows(db, rows)


def of_messages(db: Reads, message_ids: Iterable[int]) -> tuple[StoredPrediction, ...]:
    """All predictions of these messages, oldest first."""
    return of_subjects(db, subject_kind="message", subject_ids=message_ids)


def latest(db: Reads, *, subject_kind: str, subject_id: int, task: str) -> StoredPrediction | None:
    """The newest prediction of one task that is not a shadow's."""
    rows = db.rows(
        "SELECT * FROM predicted WHERE subject_kind = ? AND subject_id = ? AND task = ? AND is_shadow = 0 "
        "ORDER BY id DESC LIMIT 1",
        (subject_kind, subject_id, task),
    )
    return next(iter(of_rows(db, rows)), None)


def insert_all(
    tx: Transaction, *, subject_kind: str, subject_id: int, predictions: Sequence[Prediction], at: int
) -> None:
    """Keep what was said of one subject."""
    insert_each(tx, [(subject_kind, subject_id, prediction) for prediction in predictions], at=at)


def insert_each(tx: Transaction, said: Iterable[Said], *, at: int) -> None:
    """Keep what was said of many subjects."""
    insert_dated(tx, [(*one, at) for one in said])


def insert_dated(tx: Transaction, said: Sequence[tuple[str, int, Prediction, int]]) -> None:
    """Keep what was said of many subjects, each at its own time."""
    verdicts = numbers(tx, "verdict", VERDICT, [_verdict(kind, one) for kind, _, one, _ in said])
    codes = label_codes(tx, {scored.label for _, _, one, _ in said for scored in one.top})
    rows = [
        (
            subject_id,
            verdicts[_verdict(kind, one)],
            round(round(one.probability, 6) * MILLION),
            # Four digits are finer than the calibration.
            _packed([(scored.label, round(scored.probability, 4)) for scored in one.top], codes=codes),
            one.labels or None,
            one.is_shadow,
            at,
        )
        for kind, subject_id, one, at in said
    ]
    tx.insert_rows("prediction", _COLUMNS, rows)


def label_codes(tx: Transaction, labels: Iterable[str]) -> dict[str, int]:
    """The numbers of labels; a new one gets the next."""
    wanted = sorted(labels)
    sql = "SELECT id, name FROM label WHERE name IN (SELECT value FROM json_each(?))"
    known = {row["name"]: int(row["id"]) for row in tx.rows(sql, (wanted,))}
    new = numbers(tx, "label", ("name",), [(label,) for label in wanted if label not in known])
    return known | {key[0]: code for key, code in new.items()}


def _verdict(subject_kind: str, one: Prediction) -> tuple[Any, ...]:
    return (
        subject_kind,
        one.task,
        one.role,
        one.model,
        one.label,
        int(one.abstained),
        one.band,
        one.band_precision,
    )


def _packed(top: Top, *, codes: Mapping[str, int]) -> bytes | str:
    """As a prediction keeps it."""
    if any(codes[label] > MOST for label, _ in top):
        return json.dumps([list(one) for one in top], ensure_ascii=False, separators=(",", ":"))
    pairs = [number for label, chance in top for number in (codes[label], round(chance * STEPS))]
    return struct.pack(f"<{len(pairs)}H", *pairs)


def _codes_in(kept: bytes | str) -> tuple[int, ...]:
    """The numbers of the labels in what is kept."""
    return () if isinstance(kept, str) else _numbers(kept)[::2]


def chances_in(kept: bytes | str) -> tuple[float, ...]:
    """The probabilities in what is kept, the best first."""
    if isinstance(kept, str):
        return tuple(chance for _, chance in json.loads(kept))
    return tuple(step / STEPS for step in _numbers(kept)[1::2])


def _unpacked(kept: bytes | str, *, names: Mapping[int, str]) -> Top:
    """Labels and probabilities as they were packed."""
    if isinstance(kept, str):
        return [(label, chance) for label, chance in json.loads(kept)]
    return [(names[code], chance) for code, chance in zip(_codes_in(kept), chances_in(kept), strict=True)]


def _numbers(kept: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(kept) // 2}H", kept)
