"""Articles found by their words and by their meaning, best first."""

from __future__ import annotations

from app.answers.decide.article_ranking import fuse, nearest
from app.answers.domain import Article, Hit
from app.answers.store import articles
from app.core.errors import NotReady
from app.core.prediction import Prediction
from app.core.services import Services
from app.model.flows.embed_text import Matrix

MOST_TEXT_HITS = 20


def every(services: Services) -> tuple[Article, ...]:
    """Return all articles by title."""
    return articles.every(services.db)


def search(services: Services, query: str, *, limit: int = 10) -> tuple[Hit, ...]:
    """Return the articles that fit a query by words and by meaning, best first."""
    try:
        vector = services.engine.embed([query])[0] if query.strip() else None
    except NotReady:
        vector = None
    return found(services, query, vector=vector, limit=limit)


def found(
    services: Services, query: str, *, vector: Matrix | None, limit: int, intent: Prediction | None = None
) -> tuple[Hit, ...]:
    """Return articles by words and by a known vector, best first; those that answer the intent rise.

    Without a vector they are found by words alone.
    """
    text_hits = articles.search(services.db, query, limit=MOST_TEXT_HITS)
    parts, matrix = articles.passages(services.db)
    is_comparable = vector is not None and len(parts) > 0 and matrix.shape[1] == len(vector)
    vector_hits = nearest(vector, matrix=matrix) if vector is not None and is_comparable else ()
    known = {article.id: article for article in articles.every(services.db)}
    label = None if intent is None or intent.abstained else intent.label
    answering = [article.id for article in known.values() if label in article.intents]
    return fuse(text_hits, vector_hits=vector_hits, articles=known, passages=parts, answering=answering, limit=limit)
