"""Topics by example, looked up: learning one, and which of them texts have."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.errors import NotReady
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.decide import topic_likeness
from app.market.domain.market import Post, PostFilter
from app.market.domain.topic import Likeness, OwnTopic
from app.market.store import posts
from app.market.store import topics as own_topics
from app.model.flows.embed_text import VECTORS

LOG = logging.getLogger(__name__)
USUAL = 500
"""So many of the newest posts stand for what the feeds usually say."""

MOST_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a topic would find among the newest posts: how many of how many, and those most like it."""

    n_found: int
    n_read: int
    posts: tuple[Post, ...]


def learned(services: Services, *, examples: Sequence[str], unlike: Sequence[str], reach: float) -> Likeness:
    """What posts are to be compared with; raises NotReady when there is no search encoder."""
    usual = VECTORS.of(services, posts.newest_texts(services.db, limit=USUAL))
    return topic_likeness.learn(
        VECTORS.of(services, examples), unlike=VECTORS.of(services, unlike), usual=usual, reach=reach
    )


def preview(
    services: Services, *, examples: Sequence[str], unlike: Sequence[str], reach: float, viewer: Viewer
) -> Preview:
    """What a topic with these examples would find among the newest posts that the viewer sees; raises NotReady."""
    wanted = learned(services, examples=examples, unlike=unlike, reach=reach)
    newest = posts.page(services.db, PostFilter(), viewer=viewer, limit=USUAL).items
    if not newest:
        return Preview(n_found=0, n_read=0, posts=())
    scores = topic_likeness.score(VECTORS.of(services, [post.text for post in newest]), likeness=wanted)
    found = [int(at) for at in np.argsort(-scores, kind="stable") if scores[at] >= wanted.least]
    shown = tuple(newest[at] for at in found[:MOST_SHOWN])
    return Preview(n_found=len(found), n_read=len(newest), posts=shown)


def by_example(topics: Sequence[OwnTopic]) -> dict[int, Likeness]:
    """The topics that have examples, by id."""
    return {one.id: one.likeness for one in topics if one.likeness is not None}


def alike(services: Services, texts: Sequence[str]) -> list[frozenset[int]]:
    """The ids of the topics whose examples mean what each text means; no vector is made where no topic has examples.

    Without a search encoder no text has any: a topic that is changed later counts the last four weeks anew.
    """
    wanted = by_example(own_topics.every(services.db))
    if not wanted or not texts:
        return [frozenset()] * len(texts)
    try:
        vectors = services.engine.embed(texts)
    except NotReady:
        LOG.warning("topics by example need the search encoder: %d posts were not compared", len(texts))
        return [frozenset()] * len(texts)
    found: list[set[int]] = [set() for _ in texts]
    for topic_id, one in wanted.items():
        if not topic_likeness.fits(vectors, likeness=one):
            continue
        for at in np.flatnonzero(topic_likeness.score(vectors, likeness=one) >= one.least):
            found[int(at)].add(topic_id)
    return [frozenset(one) for one in found]
