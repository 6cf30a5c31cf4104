"""Lists of posts: the filter that an address names, and what templates show beside each post."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.core.db import Database
from app.core.permissions import Viewer
from app.market.domain.market import Post, PostFilter
from app.market.flows import find_posts
from app.web.query_string import Arguments, whole


def post_filter(arguments: Arguments) -> PostFilter:
    """Return the filter that a query string names."""
    return PostFilter(
        entity_id=whole(arguments.get("entity")),
        topic=arguments.get("topic") or None,
        feed_id=whole(arguments.get("feed")),
        sentiment=arguments.get("sentiment") or None,
        since=whole(arguments.get("since")),
        until=whole(arguments.get("until")),
        query=arguments.get("q", "").strip(),
    )


def around(db: Database, shown: Iterable[Post], *, viewer: Viewer) -> Mapping[str, object]:
    """Return what stands beside these posts, by the names that templates use."""
    return vars(find_posts.surroundings(db, shown, viewer=viewer))
