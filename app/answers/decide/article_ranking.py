"""Finding articles: full text and vectors, joined by their ranks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from app.answers.domain import Article, Hit, Passage

Vector = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]

RRF_K = 60
"""Cormack, Clarke and Büttcher 2009: reciprocal rank fusion with k = 60."""


def nearest(query: Vector, *, matrix: Matrix, limit: int = 20) -> tuple[tuple[int, float], ...]:
    """Rows of `matrix` [n, h] nearest to `query` [h] with their cosine, best first; all of unit length.

    Equal similarities keep the order of the rows. An empty matrix has no neighbours.
    """
    if not len(matrix) or limit < 1:
        return ()
    similarities = matrix @ query
    best = np.argsort(-similarities, kind="stable")[:limit]
    return tuple((int(row), float(similarities[row])) for row in best)


def fuse(
    text_hits: Sequence[tuple[int, float]],
    *,
    vector_hits: Sequence[tuple[int, float]],
    articles: Mapping[int, Article],
    passages: Sequence[Passage],
    answering: Collection[int] = (),
    limit: int = 5,
) -> tuple[Hit, ...]:
    """Articles by reciprocal rank fusion of both lists, best first.

    `text_hits` are (article id, BM25) and `vector_hits` (row in `passages`, cosine), each best first; an article's
    vector rank is that of its best passage. `answering` are the articles written for the predicted intent: each counts
    as first in a third list. Ids that `articles` does not hold (out of sight) are passed over.
    """
    text_ranks = _ranks(article_id for article_id, _ in text_hits if article_id in articles)
    rows = _best_rows(vector_hits, passages=passages, articles=articles)
    vector_ranks = _ranks(rows)
    firsts = {passage.article_id: passage.text for passage in reversed(passages)}
    hits = []
    for article_id in {*text_ranks, *vector_ranks, *answering} & articles.keys():
        ranks = (text_ranks.get(article_id), vector_ranks.get(article_id), 1 if article_id in answering else None)
        row, similarity = rows.get(article_id, (None, 0.0))
        hit = Hit(
            article_id=article_id,
            title=articles[article_id].title,
            slug=articles[article_id].slug,
            score=sum(1 / (RRF_K + rank) for rank in ranks if rank is not None),
            text_rank=ranks[0],
            vector_rank=ranks[1],
            similarity=similarity,
            passage=firsts.get(article_id, "") if row is None else passages[row].text,
        )
        hits.append(hit)
    hits.sort(key=lambda hit: (-hit.score, -hit.similarity, hit.article_id))
    return tuple(hits[:limit])


def _best_rows(
    vector_hits: Sequence[tuple[int, float]], *, passages: Sequence[Passage], articles: Mapping[int, Article]
) -> dict[int, tuple[int, float]]:
    """Of each article in sight the row and similarity of its best passage, best article first."""
    rows: dict[int, tuple[int, float]] = {}
    for row, similarity in vector_hits:
        if passages[row].article_id in articles:
            rows.setdefault(passages[row].article_id, (row, similarity))
    return rows


def _ranks(article_ids: Iterable[int]) -> dict[int, int]:
    return {article_id: rank for rank, article_id in enumerate(dict.fromkeys(article_ids), start=1)}
