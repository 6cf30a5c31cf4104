"""Lists of posts: their filter, and what they show beside it: mentions, companies, own topics, feeds, story sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core.db import Database
from app.core.permissions import Viewer
from app.market.domain.market import Post, PostFilter
from app.market.store import companies, feeds, mentions, posts, topics
from app.web.query_string import Arguments, whole


def post_filter(arguments: Arguments) -> PostFilter:
    """The filter that a query string says."""
    return PostFilter(
        entity_id=whole(arguments.get("entity")),
        topic=arguments.get("topic") or None,
        feed_id=whole(arguments.get("feed")),
        sentiment=arguments.get("sentiment") or None,
        since=whole(arguments.get("since")),
        until=whole(arguments.get("until")),
        query=arguments.get("q", "").strip(),
    )


def around(db: Database, shown: Iterable[Post], *, viewer: Viewer) -> dict[str, Any]:
    """Template values for these posts."""
    listed = list(shown)
    ids = [post.id for post in listed]
    stories = [post.story_id for post in listed if post.story_id is not None]
    return {
        "mentions": mentions.of_posts(db, ids),
        "entities": {entity.id: entity for entity in companies.every(db)},
        "own_topics": topics.titles_of_posts(db, ids) if viewer.may("market:read") else {},
        "feeds": {feed.id: feed.name for feed in feeds.every(db, viewer=viewer)},
        "sizes": posts.story_sizes(db, stories),
    }
