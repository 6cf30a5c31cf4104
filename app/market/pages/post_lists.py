"""What a list of posts shows beside the posts: mentions, companies, own topics, feeds, sizes of stories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core.db import Database
from app.core.permissions import Viewer
from app.market.domain.market import Post
from app.market.store import companies, feeds, mentions, posts, topics


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
