"""Articles that administrators write; search finds a new text at once."""

from __future__ import annotations

import sqlite3

from app.answers.domain import Article
from app.answers.flows.index_articles import index_article
from app.answers.store import articles
from app.core import changes, clock
from app.core.db import Transaction
from app.core.nouns import Changed, Fields, Noun
from app.core.permissions import Viewer
from app.core.services import Services


class ArticleNoun(Noun[Article]):
    """Articles of the knowledge base; a removed one can be restored."""

    name = "article"
    permission = "articles:write"
    fields = frozenset({"slug", "title", "body", "intents", "tags"})
    needed = ("slug", "title", "body")
    unique = "slug"
    titles = ("slug", "title")
    is_restorable = True

    def make(self, row: sqlite3.Row) -> Article:
        """Return the article of a row."""
        return articles.as_article(row)

    def check(self, tx: Transaction, given: Fields, was: Article | None) -> Fields:
        """Return the fields of an article, its lists as tuples."""
        return {name: tuple(value) if name in ("intents", "tags") else value for name, value in given.items()}

    def columns(self, values: Fields) -> Fields:
        """Return the fields with the time of the change."""
        return {**values, "updated_at": clock.now_ms()}

    def follow(self, tx: Transaction, was: Article | None, row: Article | None, viewer: Viewer) -> None:
        """Delete the passages of the text before."""
        if was is not None and row is not None:
            articles.forget_passages(tx, row.id)

    def settle(self, services: Services, row: Article) -> None:
        """Give an article its vectors."""
        index_article(services, row)


ARTICLE = ArticleNoun()


def add_article(services: Services, given: Fields, *, viewer: Viewer) -> Changed[Article]:
    """Add an article, which can be found at once; raises InputError, Conflict when the slug is taken."""
    made = changes.add(services.db, ARTICLE, given, viewer=viewer)
    ARTICLE.settle(services, made.row)
    return made


def change_article(
    services: Services, article_id: int, given: Fields, *, viewer: Viewer, version: int | None = None
) -> Changed[Article]:
    """Change an article; raises NotFound, Stale, InputError, Conflict."""
    made = changes.change(services.db, ARTICLE, article_id, given, viewer=viewer, version=version)
    if made.event is not None:
        ARTICLE.settle(services, made.row)
    return made
