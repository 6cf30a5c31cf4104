"""Topics by example: one learned, tried on the newest posts, and found in texts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.errors import NotReady
from app.core.nouns import Fields
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.decide import topic_likeness
from app.market.decide.topic_definition import check_definition
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
    """The newest posts that a topic would find: how many of how many, and those most like it."""

    n_found: int
    n_read: int
    posts: tuple[Post, ...]


def learn(services: Services, topic: OwnTopic) -> Likeness:
    """Learn what posts are compared with to find this topic; raises NotReady when there is no search encoder."""
    usual = VECTORS.of(services, posts.newest_texts(services.db, limit=USUAL))
    return topic_likeness.learn(
        VECTORS.of(services, topic.examples),
        unlike=VECTORS.of(services, topic.unlike),
        usual=usual,
        reach=topic.reach,
    )


def preview(services: Services, given: Fields, *, viewer: Viewer) -> Preview:
    """Return what a topic with these `examples`, `unlike` and `reach` would find among the newest posts in sight.

    Raises InputError, and NotReady when there is no search encoder.
    """
    topic = OwnTopic(id=0, title="", **check_definition({"words": (), **given}))
    newest = posts.page(services.db, PostFilter(), viewer=viewer, limit=USUAL).items
    likeness = learn(services, topic)
    if not newest:
        return Preview(n_found=0, n_read=0, posts=())
    scores = topic_likeness.score(VECTORS.of(services, [post.text for post in newest]), likeness=likeness)
    matching = [int(at) for at in np.argsort(-scores, kind="stable") if scores[at] >= likeness.least]
    shown = tuple(newest[at] for at in matching[:MOST_SHOWN])
    return Preview(n_found=len(matching), n_read=len(newest), posts=shown)


def topics_of_texts(services: Services, texts: Sequence[str]) -> list[frozenset[int]]:
    """Return, for each text, the ids of the topics whose examples mean the same.

    No vector is made where no topic has examples. Without a search encoder no text has any: a topic that is changed
    later counts the last four weeks anew.
    """
    wanted = {one.id: one.likeness for one in own_topics.every(services.db) if one.likeness is not None}
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
