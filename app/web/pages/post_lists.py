"""What a list of posts shows beside the posts: mentions, company names, feed names, sizes of stories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.domain.market import Post
from app.domain.people import Viewer
from app.store import entities, feeds, mentions, posts
from app.store.db import Database


def around(db: Database, shown: Iterable[Post], *, viewer: Viewer) -> dict[str, Any]:
    """Template values for these posts."""
    listed = list(shown)
    stories = [post.story_id for post in listed if post.story_id is not None]
    return {
        "mentions": mentions.of_posts(db, [post.id for post in listed]),
        "entities": {entity.id: entity for entity in entities.every(db)},
        "feeds": {feed.id: feed.name for feed in feeds.every(db, viewer=viewer)},
        "sizes": posts.story_sizes(db, stories),
    }
