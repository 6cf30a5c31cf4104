"""Drafts composed of sentences of the articles that were found."""

from __future__ import annotations

from collections.abc import Sequence

from app.answers.decide import draft as drafting
from app.answers.domain import Draft, Hit
from app.answers.store import articles
from app.core.services import Services
from app.model.flows.embed_text import VECTORS, Matrix


def compose(services: Services, vector: Matrix | None, *, hits: Sequence[Hit]) -> Draft:
    """Return a draft that answers a question; it has no sentences where the articles hold no good answer."""
    if vector is None or not hits:
        return Draft()
    parts, _ = articles.passages(services.db)
    sentences = drafting.candidates(hits, passages=parts)
    if not sentences:
        return Draft()
    vectors = VECTORS.of(services, [drafting.searchable(sentence, hits=hits) for sentence in sentences])
    return drafting.compose(vector, sentences=sentences, vectors=vectors)
