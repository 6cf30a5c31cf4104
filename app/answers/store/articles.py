"""Articles of the knowledge base, found by words (FTS5) and by the vectors of their passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.answers.domain import Article, Passage
from app.core.db import Reads, Transaction
from app.core.errors import Conflict
from app.core.storage import full_text as expressions
from app.core.storage.row_mapping import built

_SEARCH = """SELECT rowid, bm25(article_search, 4.0, 1.0) AS score FROM article_search WHERE article_search MATCH ?
ORDER BY score LIMIT ?"""


def _article(row: sqlite3.Row) -> Article:
    return built(Article, row, tuples=("intents", "tags"))


def get(db: Reads, article_id: int) -> Article:
    """The article with this id; raises NotFound."""
    return _article(db.got("article", article_id))


def find_by_slug(db: Reads, slug: str) -> Article | None:
    """The article of this slug."""
    row = db.row("SELECT * FROM article WHERE slug = ?", (slug,))
    return None if row is None else _article(row)


def every(db: Reads) -> tuple[Article, ...]:
    """Articles by title."""
    return tuple(_article(row) for row in db.rows("SELECT * FROM article ORDER BY title"))


def search(db: Reads, query: str, *, limit: int = 20) -> list[tuple[int, float]]:
    """Ids of the articles that have any word of the query, with their BM25 (lower is better), best first."""
    expression = expressions.any_word(query)
    if not expression:
        return []
    return [(row["rowid"], row["score"]) for row in db.rows(_SEARCH, (expression, limit))]


def insert(
    tx: Transaction,
    *,
    slug: str,
    title: str,
    body: str,
    intents: Sequence[str] = (),
    tags: Sequence[str] = (),
    updated_at: int,
) -> int:
    """Add an article; raises Conflict when the slug is taken."""
    values = {
        "slug": slug,
        "title": title,
        "body": body,
        "intents": list(intents),
        "tags": list(tags),
        "updated_at": updated_at,
    }
    try:
        return tx.insert("article", values)
    except sqlite3.IntegrityError as error:
        raise Conflict("slug_taken", noun="article", slug=slug) from error


def update(tx: Transaction, article_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Article:
    """Change an article; raises NotFound, Stale, or Conflict when the slug is taken."""
    try:
        tx.change("article", article_id, changes=changes, version=version)
    except sqlite3.IntegrityError as error:
        raise Conflict("slug_taken", noun="article", slug=str(changes.get("slug", ""))) from error
    return get(tx, article_id)


def restore(tx: Transaction, article_id: int, *, values: Mapping[str, Any]) -> Article:
    """Put a removed article back under its own number; raises Conflict when its slug is taken."""
    try:
        tx.insert("article", {**values, "id": article_id})
    except sqlite3.IntegrityError as error:
        raise Conflict("slug_taken", noun="article", slug=str(values.get("slug", ""))) from error
    return get(tx, article_id)


def delete(tx: Transaction, article_id: int) -> None:
    """Remove an article and its passages."""
    tx.execute("DELETE FROM article WHERE id = ?", (article_id,))


def put_passages(
    tx: Transaction, article_id: int, *, passages: Sequence[Passage], vectors: NDArray[np.float32], encoder: str
) -> None:
    """Replace an article's passages; `vectors` [n, h] holds a row a passage."""
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
    """Articles that have no passages of this encoder yet."""
    rows = db.rows(
        "SELECT id FROM article WHERE NOT EXISTS "
        "(SELECT 1 FROM passage WHERE passage.article_id = article.id AND encoder = ?)",
        (encoder,),
    )
    return tuple(row["id"] for row in rows)


def forget_passages(tx: Transaction, article_ids: Iterable[int]) -> None:
    """Drop the passages of articles whose text changed: they are read anew."""
    for article_id in article_ids:
        tx.execute("DELETE FROM passage WHERE article_id = ?", (article_id,))
