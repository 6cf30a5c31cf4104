"""What to read next, why, and what readers made of it; ranking of one's own items."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import ValidationError, fields

from app import clock
from app.domain.recommendation import Feedback, FeedbackKind
from app.errors import InputError, TooLarge
from app.pipeline import recommendations
from app.store import posts
from app.web import auth, body
from app.web.api import lists
from app.web.openapi import blueprint, route
from app.web.schema import Between, Id, Instant, OneOf, Shape, faults, page_of, row

group = blueprint("recommendations", about="Posts for a reader, each with its reasons.")


class ReasonShape(Shape):
    """A feature's share in a score."""

    feature = fields.String()
    value = fields.Float()
    contribution = fields.Float()


class RecommendationShape(Shape):
    """A post with its score; the reasons add up to it."""

    post = Id("pst", attribute="post_id")
    title = fields.String()
    url = fields.String(allow_none=True)
    published_at = Instant()
    score = fields.Float()
    reasons = fields.List(fields.Nested(ReasonShape))


class RecommendQuery(Shape):
    """How many, and whether to leave out what was read."""

    n = fields.Integer(load_default=10, validate=Between(1, 100))
    exclude_seen = fields.Boolean(load_default=True)


class FeedbackShape(Shape):
    """What a reader did with a post."""

    post = Id("pst", required=True)
    kind = fields.String(required=True, validate=OneOf(get_args(FeedbackKind)))
    at = Instant(load_default=None, allow_none=True)


class TakenShape(Shape):
    """How many were taken."""

    accepted = fields.Integer()


@route(
    group,
    "/recommend",
    needs="recommendations:read",
    query=RecommendQuery,
    returns=page_of(RecommendationShape, "Recommendations"),
)
def recommend(query: dict[str, Any]) -> dict[str, Any]:
    """Posts for the reader who asks."""
    services, viewer = auth.services(), auth.viewer()
    found = recommendations.recommend(
        services, user_id(), viewer=viewer, limit=query["n"], exclude_seen=query["exclude_seen"]
    )
    return lists.whole(_out(one) for one in found)


@route(
    group,
    "/feedback",
    method="POST",
    needs="feedback:write",
    returns=TakenShape,
    docs={
        "requestBody": {
            "required": True,
            "description": "One act or an array of them.",
            "content": {"application/json": {"schema": FeedbackShape}},
        }
    },
)
def feedback() -> dict[str, int]:
    """Tell what was read, liked or hidden."""
    payload = body.read_json()
    sent = payload if isinstance(payload, list) else [payload]
    if len(sent) > auth.settings().max_batch:
        raise TooLarge("too_many_items", size=len(sent), limit=auth.settings().max_batch)
    try:
        loaded = FeedbackShape(many=True).load(sent)
    except ValidationError as error:
        raise faults(error) from None
    reader, now = user_id(), clock.now_ms()
    acts = [Feedback(user_id=reader, post_id=act["post"], kind=act["kind"], at=act["at"] or now) for act in loaded]
    return {"accepted": recommendations.feedback(auth.services(), acts, viewer=auth.viewer())}


def user_id() -> int:
    """The person behind session or token."""
    found = auth.viewer().user_id
    if found is None:
        raise InputError("needs_a_person")
    return found


def _out(one: Any) -> dict[str, Any]:
    post = posts.get(auth.services().db, one.post_id, viewer=auth.viewer())
    return row(one, title=post.title, url=post.url, published_at=post.occurred_at)
