"""Keeping articles: written, changed, removed and put back, each an event; search finds them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.answers.decide.given_fields import checked
from app.answers.domain import Article
from app.answers.flows.index_articles import indexed
from app.answers.store import articles
from app.core import clock
from app.core.events import history
from app.core.permissions import Viewer
from app.core.services import Services

_ARTICLE_FIELDS = frozenset({"slug", "title", "body", "intents", "tags"})


def add_article(
    services: Services,
    *,
    viewer: Viewer,
    slug: str,
    title: str,
    body: str,
    intents: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Article:
    """Add an article, which can be found at once; raises Conflict when the slug is taken."""
    values = {"slug": slug, "title": title, "body": body, "intents": tuple(intents), "tags": tuple(tags)}
    found = checked(values, known=_ARTICLE_FIELDS, needed=("slug", "title", "body"))
    with services.db.transaction() as tx:
        article_id = articles.insert(tx, **found, updated_at=clock.now_ms())
        after = {"slug": slug, "title": title}
        history.record(tx, actor=history.of(viewer), verb="created", noun="article", noun_id=article_id, after=after)
        article = articles.get(tx, article_id)
    return indexed(services, article)


def change_article(
    services: Services, article_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Article:
    """Change an article; raises NotFound, Stale, Conflict."""
    wanted = checked(changes, known=_ARTICLE_FIELDS, needed=())
    with services.db.transaction() as tx:
        was = articles.get(tx, article_id)
        columns = {**wanted, "updated_at": clock.now_ms()}
        article = articles.update(tx, article_id, changes=columns, version=version)
        articles.forget_passages(tx, [article_id])
        before = {key: getattr(was, key) for key in wanted}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="article",
            noun_id=article_id,
            before=before,
            after=wanted,
        )
    return indexed(services, article)


def remove_article(services: Services, article_id: int, *, viewer: Viewer) -> None:
    """Remove an article."""
    with services.db.transaction() as tx:
        was = articles.get(tx, article_id)
        articles.delete(tx, article_id)
        before = {name: getattr(was, name) for name in sorted(_ARTICLE_FIELDS)}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="article", noun_id=article_id, before=before)


def restore_article(services: Services, article_id: int, *, viewer: Viewer, values: Mapping[str, Any]) -> Article:
    """Put a removed article back, as the event of its removal kept it; raises Conflict when its slug is taken."""
    with services.db.transaction() as tx:
        article = articles.restore(tx, article_id, values={**values, "updated_at": clock.now_ms()})
        after = {"slug": article.slug, "title": article.title}
        history.record(tx, actor=history.of(viewer), verb="restored", noun="article", noun_id=article_id, after=after)
    return indexed(services, article)
