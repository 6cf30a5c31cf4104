"""Finding articles: full text and vectors, joined by their ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from app.domain.knowledge import Article, Hit, Passage

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
    limit: int = 5,
) -> tuple[Hit, ...]:
    """Articles by reciprocal rank fusion of both lists, best first.

    `text_hits` are (article id, BM25) and `vector_hits` (row in `passages`, cosine), each best first; an article's
    vector rank is that of its best passage. Ids that `articles` does not hold (out of sight) are passed over.
    """
    text_ranks = _ranks(article_id for article_id, _ in text_hits if article_id in articles)
    nearest_rows: dict[int, tuple[int, float]] = {}
    for row, similarity in vector_hits:
        article_id = passages[row].article_id
        if article_id in articles:
            nearest_rows.setdefault(article_id, (row, similarity))
    vector_ranks = _ranks(nearest_rows)
    first_passages = {passage.article_id: passage.text for passage in reversed(passages)}
    hits = []
    for article_id in {**text_ranks, **vector_ranks}:
        article = articles[article_id]
        best = nearest_rows.get(article_id)
        ranks = (text_ranks.get(article_id), vector_ranks.get(article_id))
        hit = Hit(
            article_id=article_id,
            title=article.title,
            slug=article.slug,
            score=sum(1 / (RRF_K + rank) for rank in ranks if rank is not None),
            text_rank=ranks[0],
            vector_rank=ranks[1],
            similarity=best[1] if best else 0.0,
            passage=passages[best[0]].text if best else first_passages.get(article_id, ""),
        )
        hits.append(hit)
    hits.sort(key=lambda hit: (-hit.score, -hit.similarity, hit.article_id))
    return tuple(hits[:limit])


def _ranks(article_ids: Iterable[int]) -> dict[int, int]:
    return {article_id: rank for rank, article_id in enumerate(dict.fromkeys(article_ids), start=1)}
