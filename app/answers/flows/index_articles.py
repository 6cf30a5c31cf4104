"""Vectors of the passages of articles, by which search finds them by meaning."""

from __future__ import annotations

from contextlib import suppress

from app.answers.decide.passages import passages, searchable
from app.answers.domain import Article
from app.answers.store import articles
from app.core.errors import ArtifactMissing, NotReady
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.services import Services
from app.model.engine import loader


def reindex(services: Services) -> int:
    """Give vectors to the articles that have none of this encoder, and return their number.

    Raises NotReady without an encoder.
    """
    encoder = _encoder(services)
    waiting = articles.unread(services.db, encoder=encoder)
    for article_id in waiting:
        _index(services, articles.get(services.db, article_id), encoder=encoder)
    return len(waiting)


def reindex_articles(services: Services, job: Job, progress: Progress) -> None:
    """Give vectors to all articles without them, as a job."""
    for _ in range(reindex(services)):
        progress.done()


def _index(services: Services, article: Article, *, encoder: str) -> None:
    parts = passages(article)
    vectors = services.engine.embed([searchable(part) for part in parts])
    with services.db.transaction() as tx:
        if articles.get(tx, article.id).version == article.version:
            articles.put_passages(tx, article.id, passages=parts, vectors=vectors, encoder=encoder)


def _encoder(services: Services) -> str:
    try:
        return loader.find(services.policy.artifact_folders, kind="encoder").name
    except ArtifactMissing:
        return "own"


def index_article(services: Services, article: Article) -> None:
    """Give an article its vectors where an encoder is ready; otherwise its words find it until the worker does."""
    with suppress(NotReady):
        _index(services, article, encoder=_encoder(services))
