"""Recommended posts with their reasons, readers' feedback, and posts ranked for a reader."""

from __future__ import annotations

from time import perf_counter
from typing import get_args

from marshmallow import ValidationError, fields

from app.core import clock
from app.core.errors import TooLarge
from app.market.domain.market import Post
from app.market.flows import find_posts, recommend_posts
from app.recommend.domain import Feedback, FeedbackKind, Recommendation
from app.web import access
from app.web.api import api_lists, request_body
from app.web.api.api_shapes import (
    Between,
    Flag,
    GivenId,
    GivenInstant,
    Id,
    Instant,
    Json,
    Number,
    OneOf,
    Shape,
    Size,
    Whole,
    faults,
    page_of,
    row,
)
from app.web.api.openapi import blueprint, route

group = blueprint("recommendations", about="Posts for a reader, each with its reasons.")


class ReasonShape(Shape):
    """A feature's share in a score."""

    feature = fields.String()
    value = Number()
    contribution = Number()


class RecommendationShape(Shape):
    """A post with its score; the reasons add up to it."""

    post = Id("pst", attribute="post_id")
    title = fields.String()
    url = fields.String(allow_none=True)
    published_at = Instant()
    score = Number()
    reasons = fields.List(fields.Nested(ReasonShape))


class RecommendQuery(Shape):
    """The number of posts, and whether posts already read are left out."""

    n = Whole(load_default=10, validate=Between(1, 100))
    exclude_seen = Flag(load_default=True)


class FeedbackShape(Shape):
    """An act of a reader with a post."""

    post = GivenId("pst", required=True)
    kind = fields.String(required=True, validate=OneOf(get_args(FeedbackKind)))
    at = GivenInstant(load_default=None, allow_none=True)


class RankItemShape(Shape):
    """A post to rank."""

    id = GivenId("pst", required=True)


class RankShape(Shape):
    """Posts to rank."""

    items = fields.List(fields.Nested(RankItemShape), required=True, validate=Size(min=1))


class FeatureShape(Shape):
    """A feature's share in a score."""

    name = fields.String(attribute="feature")
    value = Number()
    contribution = Number()


class RankedItemShape(Shape):
    """A post's place, best first."""

    item = Id("pst")
    score = Number(allow_none=True)
    features = fields.List(fields.Nested(FeatureShape))


class RankedShape(Shape):
    """Posts in order; `took` in milliseconds."""

    took = Number()
    items = fields.List(fields.Nested(RankedItemShape))


class TakenShape(Shape):
    """The number of acts that were taken."""

    accepted = Whole()


@route(
    group,
    "/recommend",
    needs="recommendations:read",
    query=RecommendQuery,
    returns=page_of(RecommendationShape, "Recommendations"),
)
def recommend(query: Json) -> Json:
    """Posts for the reader who asks."""
    services, viewer = access.services(), access.viewer()
    found = recommend_posts.recommend(
        services, access.user_id(), viewer=viewer, limit=query["n"], exclude_seen=query["exclude_seen"]
    )
    posts = find_posts.by_ids(services, [one.post_id for one in found], viewer=viewer)
    return api_lists.whole(_out(one, post=posts[one.post_id]) for one in found if one.post_id in posts)


@route(
    group,
    "/feedback",
    method="POST",
    needs="feedback:write",
    returns=TakenShape,
    also=(404,),
    docs={
        "requestBody": {
            "required": True,
            "description": "One act or an array of them.",
            "content": {
                request_body.JSON: {"schema": {"anyOf": [FeedbackShape, {"type": "array", "items": FeedbackShape}]}}
            },
        }
    },
)
def feedback() -> dict[str, int]:
    """Record that posts were read, liked or hidden."""
    payload = request_body.read_json()
    sent = payload if isinstance(payload, list) else [payload]
    if len(sent) > access.settings().max_batch:
        raise TooLarge("too_many_items", size=len(sent), limit=access.settings().max_batch)
    try:
        loaded = FeedbackShape(many=True).load(sent)
    except ValidationError as error:
        raise faults(error) from None
    reader, now = access.user_id(), clock.now_ms()
    acts = [Feedback(user_id=reader, post_id=act["post"], kind=act["kind"], at=act["at"] or now) for act in loaded]
    return {"accepted": recommend_posts.feedback(access.services(), acts, viewer=access.viewer())}


@route(group, "/rank", method="POST", needs="recommendations:read", reads=RankShape, returns=RankedShape)
def rank(payload: Json) -> Json:
    """Order posts for the reader who asks; posts older than a week, hidden or out of sight come last, without score."""
    started = perf_counter()
    limit = access.settings().max_batch
    asked = [item["id"] for item in payload["items"]]
    if len(asked) > limit:
        raise TooLarge("too_many_items", size=len(asked), limit=limit)
    found = recommend_posts.recommend(
        access.services(), access.user_id(), viewer=access.viewer(), limit=limit, exclude_seen=False
    )
    wanted = set(asked)
    chosen = [one for one in found if one.post_id in wanted]
    ranked = [{"item": one.post_id, "score": one.score, "features": one.reasons} for one in chosen]
    scored = {one["item"] for one in ranked}
    rest = [{"item": post_id, "score": None, "features": []} for post_id in asked if post_id not in scored]
    return {"took": round((perf_counter() - started) * 1000, 1), "items": [*ranked, *rest]}


def _out(one: Recommendation, *, post: Post) -> Json:
    return row(one, title=post.title, url=post.url, published_at=post.occurred_at)
