"""Articles of the knowledge base, found by words (FTS5) and by the vectors of their passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.answers.domain import Article, Passage
from app.core.db import Reads, Transaction
from app.core.storage import full_text as expressions
from app.core.storage.row_mapping import built

_SEARCH = """SELECT rowid, bm25(article_search, 4.0, 1.0) AS score FROM article_search WHERE article_search MATCH ?
ORDER BY score LIMIT ?"""


def as_article(row: sqlite3.Row) -> Article:
    """An article out of its row."""
    return built(Article, row, tuples=("intents", "tags"))


def get(db: Reads, article_id: int) -> Article:
    """The article with this id; raises NotFound."""
    return as_article(db.got("article", article_id))


def every(db: Reads) -> tuple[Article, ...]:
    """Articles by title."""
    return tuple(as_article(row) for row in db.rows("SELECT * FROM article ORDER BY title"))


def search(db: Reads, query: str, *, limit: int = 20) -> list[tuple[int, float]]:
    """Ids of the articles that have any word of the query, with their BM25 (lower is better), best first."""
    expression = expressions.any_word(query)
    if not expression:
        return []
    return [(row["rowid"], row["score"]) for row in db.rows(_SEARCH, (expression, limit))]


def put_passages(
    tx: Transaction, article_id: int, *, passages: Sequence[Passage], vectors: NDArray[np.float32], encoder: str
) -> None:
    """Replace the passages of an article; `vectors` [n, h] has one row for each."""
    tx.execute("DELETE FROM passage WHERE article_id = ?", (article_id,))
    tx.execute_many(
        "INSERT INTO passage (article_id, ordinal, heading, text, vector, encoder) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (article_id, passage.ordinal, passage.heading, passage.text, vector.astype("<f4").tobytes(), encoder)
            for passage, vector in zip(passages, vectors, strict=True)
        ],
    )


def passages(db: Reads) -> tuple[tuple[Passage, ...], NDArray[np.float32]]:
    """Every passage with its vector: a matrix [n, h] of unit rows in the same order."""
    rows = db.rows("SELECT * FROM passage ORDER BY article_id, ordinal")
    if not rows:
        return (), np.zeros((0, 0), np.float32)
    vectors = np.frombuffer(b"".join(row["vector"] for row in rows), dtype="<f4").reshape(len(rows), -1)
    return tuple(built(Passage, row) for row in rows), vectors.astype(np.float32, copy=False)


def unread(db: Reads, *, encoder: str) -> tuple[int, ...]:
    """The ids of the articles that have no passages of this encoder yet."""
    rows = db.rows(
        "SELECT id FROM article WHERE NOT EXISTS "
        "(SELECT 1 FROM passage WHERE passage.article_id = article.id AND encoder = ?)",
        (encoder,),
    )
    return tuple(row["id"] for row in rows)


def forget_passages(tx: Transaction, article_id: int) -> None:
    """Delete the passages of an article whose text has changed; the worker makes new ones."""
    tx.execute("DELETE FROM passage WHERE article_id = ?", (article_id,))
