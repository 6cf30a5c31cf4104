"""Posts recommended to a reader, by interests learned from what they read, liked and hid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from app.core import clock
from app.core.durations import DAY_MS
from app.core.errors import NotFound
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import Mention, Post, PostFilter
from app.market.store import mentions, post_feedback, posts
from app.people.store import users
from app.recommend.decide.profile import profile
from app.recommend.decide.ranking import POPULARITY, rank
from app.recommend.domain import Candidate, Feedback, Recommendation

FRESH_MS = 7 * DAY_MS
MOST_CANDIDATES = 300
FULL_POPULARITY = 20


def recommend(
    services: Services, user_id: int, *, viewer: Viewer, limit: int = 10, exclude_seen: bool = True
) -> tuple[Recommendation, ...]:
    """Return posts of the last week for a reader, one of each story, within the viewer's feeds; hidden ones never."""
    users.get(services.db, user_id)
    now = clock.now_ms()
    given = post_feedback.of_user(services.db, user_id)
    known = posts.by_ids(services.db, [item.post_id for item in given], viewer=viewer)
    fresh = posts.page(services.db, PostFilter(since=now - FRESH_MS), viewer=viewer, limit=MOST_CANDIDATES).items
    mentioned = mentions.of_posts(services.db, [*known, *(post.id for post in fresh)])

    def features(post: Post) -> dict[str, float]:
        return _features(post, mentioned.get(post.id, ()))

    taught = [(item, features(known[item.post_id])) for item in given if item.post_id in known]
    hidden = {item.post_id for item in given if item.kind == "hide"}
    seen = {item.post_id for item in given}
    popularity = _popularity(services, fresh)
    candidates = [
        Candidate(
            post_id=post.id,
            features={**features(post), POPULARITY: popularity.get(post.id, 0.0)},
            occurred_at=post.occurred_at,
            is_seen=post.id in seen,
        )
        for post in _one_of_each_story(fresh)
        if post.id not in hidden
    ]
    return rank(candidates, profile=profile(taught, now=now), now=now, limit=limit, exclude_seen=exclude_seen)


def _one_of_each_story(found: Sequence[Post]) -> list[Post]:
    kept: dict[int, Post] = {}
    for post in found:
        kept.setdefault(post.story_id or -post.id, post)
    return list(kept.values())


def _features(post: Post, mentioned: Sequence[Mention]) -> dict[str, float]:
    found = {f"entity:{mention.entity_id}": 1.0 for mention in mentioned}
    if post.topic is not None:
        found[f"topic:{post.topic}"] = 0.7
    found[f"feed:{post.feed_id}"] = 0.3
    return found


def _popularity(services: Services, fresh: Sequence[Post]) -> Mapping[int, float]:
    """Return how often each post's story was told and read, 0–1 on a logarithmic scale."""
    sizes = posts.story_sizes(services.db, {post.story_id for post in fresh if post.story_id is not None})
    readers = post_feedback.n_readers(services.db, [post.id for post in fresh])
    full = math.log1p(FULL_POPULARITY)
    counts = {post.id: sizes.get(post.story_id or 0, 1) - 1 + readers.get(post.id, 0) for post in fresh}
    return {post_id: min(math.log1p(count) / full, 1.0) for post_id, count in counts.items()}


def feedback(services: Services, items: Iterable[Feedback], *, viewer: Viewer) -> int:
    """Keep what readers did with posts that the viewer sees; returns how many acts. Raises NotFound."""
    given = list(items)
    known = posts.by_ids(services.db, {item.post_id for item in given}, viewer=viewer)
    for item in given:
        if item.post_id not in known:
            raise NotFound(noun="post", id=item.post_id)
        users.get(services.db, item.user_id)
    with services.db.transaction() as tx:
        for item in given:
            post_feedback.put(tx, item)
    return len(given)
