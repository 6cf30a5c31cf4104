"""Posts as they are read: by readers with what stands beside them, and by models as texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.core.db import Reads
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.prediction import Prediction
from app.core.services import Services
from app.market.domain.market import Entity, Mention, Post, PostFilter
from app.market.flows.correct_post import POST
from app.market.store import companies, feeds, mentions, posts, topics


class PostTexts:
    """The texts of posts, as a source of texts for models."""

    kind = "post"

    def text(self, db: Reads, subject_id: int) -> str:
        """Return the text of a post; raises NotFound."""
        return posts.get(db, subject_id).text

    def n_pending(self, db: Reads) -> int:
        """Return how many posts wait for the model."""
        return posts.n_pending(db)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Companions of listed posts: mentions and own topics by post, sizes by story, companies and feeds by id."""

    mentions: Mapping[int, tuple[Mention, ...]]
    entities: Mapping[int, Entity]
    own_topics: Mapping[int, Mapping[str, str]]
    feeds: Mapping[int, str]
    sizes: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class PostPrediction:
    """A prediction of a post, or towards a company in it: `target` is the company's name, empty for the post."""

    prediction: Prediction
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class PostInStory:
    """A post, all posts in sight that tell its story, earliest first, and what models said of it."""

    post: Post
    story: tuple[Post, ...]
    predictions: tuple[PostPrediction, ...]


def page(
    services: Services, chosen: PostFilter, *, viewer: Viewer, limit: int = 50, after: str | None = None
) -> Page[Post]:
    """Return a page of posts in sight, newest event first; raises InputError for a cursor that was not made here."""
    return posts.page(services.db, chosen, viewer=viewer, limit=limit, after=after)


def by_ids(services: Services, post_ids: Iterable[int], *, viewer: Viewer) -> dict[int, Post]:
    """Return posts by id, those in sight."""
    return posts.by_ids(services.db, post_ids, viewer=viewer)


def mentions_in(services: Services, shown: Iterable[Post]) -> dict[int, tuple[Mention, ...]]:
    """Return the mentions in posts that are in sight, by post."""
    return mentions.of_posts(services.db, [post.id for post in shown])


def in_story(services: Services, post_id: int, *, viewer: Viewer) -> PostInStory:
    """Return a post in its story; raises NotFound for one out of sight."""
    db = services.db
    post = POST.get(db, post_id, viewer=viewer)
    story = posts.of_story(db, post.story_id, viewer=viewer) if post.story_id else (post,)
    names = {entity.id: entity.name for entity in companies.every(db)}
    targets = {one.id: names[one.entity_id] for one in mentions.of_posts(db, [post.id]).get(post.id, ())}
    said = tuple(
        PostPrediction(
            prediction=stored.prediction,
            target=targets.get(stored.subject_id, "") if stored.subject_kind == "mention" else "",
        )
        for stored in mentions.predictions_of_post(db, post.id)
    )
    return PostInStory(post=post, story=story, predictions=said)


def surroundings(db: Reads, shown: Iterable[Post], *, viewer: Viewer) -> Surroundings:
    """Return what lists show beside these posts."""
    listed = list(shown)
    ids = [post.id for post in listed]
    return Surroundings(
        mentions=mentions.of_posts(db, ids),
        entities={entity.id: entity for entity in companies.every(db)},
        own_topics=topics.titles_of_posts(db, ids) if viewer.may("market:read") else {},
        feeds={feed.id: feed.name for feed in feeds.every(db, viewer=viewer)},
        sizes=posts.story_sizes(db, [post.story_id for post in listed if post.story_id is not None]),
    )
