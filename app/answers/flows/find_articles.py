"""Articles looked up: all of them, or one."""

from __future__ import annotations

from app.answers.domain import Article
from app.answers.store import articles
from app.core.services import Services


def every(services: Services) -> tuple[Article, ...]:
    """All articles."""
    return articles.every(services.db)


def get(services: Services, article_id: int) -> Article:
    """The article with this id; raises NotFound."""
    return articles.get(services.db, article_id)
