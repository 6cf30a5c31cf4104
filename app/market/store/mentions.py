"""Mentions: which entity a post speaks of, where, and how."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from app.core.db import Reads, Transaction
from app.core.prediction import StoredPrediction
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.market.domain.market import Mention
from app.model.store import predictions

_COLUMNS = (
    "post_id", "entity_id", "start", "end", "surface", "occurred_at", "sentiment", "sentiment_score", "probability",
    "is_abstained",
)  # fmt: skip


def _mention(row: sqlite3.Row) -> Mention:
    return built(Mention, row, flags=("is_abstained",))


def get(db: Reads, mention_id: int) -> Mention:
    """The mention with this id; raises NotFound."""
    return _mention(db.got("mention", mention_id))


def predictions_of_post(db: Reads, post_id: int) -> tuple[StoredPrediction, ...]:
    """Return all predictions of a post, then those of its mentions."""
    mention_ids = [row["id"] for row in db.rows("SELECT id FROM mention WHERE post_id = ?", (post_id,))]
    return (
        *predictions.of_subjects(db, subject_kind="post", subject_ids=[post_id]),
        *predictions.of_subjects(db, subject_kind="mention", subject_ids=mention_ids),
    )


def of_posts(db: Reads, post_ids: Iterable[int]) -> dict[int, tuple[Mention, ...]]:
    """Mentions by post id, in the order of the text; posts without any are left out."""
    rows = db.rows(
        "SELECT * FROM mention WHERE post_id IN (SELECT value FROM json_each(?)) ORDER BY post_id, start, id",
        (listed(post_ids),),
    )
    found: defaultdict[int, list[Mention]] = defaultdict(list)
    for row in rows:
        found[row["post_id"]].append(_mention(row))
    return {post_id: tuple(mentions) for post_id, mentions in found.items()}


def insert_each(tx: Transaction, several: Sequence[Mention]) -> list[int]:
    """Add mentions, whose ids are not known yet; returns the new ids, in order."""
    first = tx.next_id("mention")
    rows = [(number, *(getattr(one, name) for name in _COLUMNS)) for number, one in enumerate(several, start=first)]
    tx.insert_rows("mention", ("id", *_COLUMNS), rows)
    return list(range(first, first + len(several)))


def judge(tx: Transaction, mention: Mention) -> None:
    """Write the sentiment in force towards a mentioned entity."""
    tx.execute(
        "UPDATE mention SET sentiment = ?, sentiment_score = ?, probability = ?, is_abstained = ? WHERE id = ?",
        (mention.sentiment, mention.sentiment_score, mention.probability, mention.is_abstained, mention.id),
    )


def delete_of_post(tx: Transaction, post_id: int) -> None:
    """Forget the mentions of a post whose text changed; what was predicted and corrected of them stays on record."""
    tx.execute("DELETE FROM mention WHERE post_id = ?", (post_id,))
