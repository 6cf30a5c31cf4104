"""Posts, feeds, entities and series as the API shows them."""

from __future__ import annotations

import re
from typing import Any, get_args

from marshmallow import ValidationError, fields

from app.domain.market import FeedKind
from app.web.schema import Between, Fault, Id, Instant, OneOf, Shape, Size, page_of

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")


def slug(value: Any) -> None:
    """Lower-case letters, digits and hyphens."""
    if not SLUG.fullmatch(value):
        raise ValidationError(Fault("bad_slug", value=value))


class MentionShape(Shape):
    """A company named in a post (characters `start` to `end`), and the sentiment towards it."""

    id = Id("men")
    ticker = fields.String()
    start = fields.Integer()
    end = fields.Integer()
    surface = fields.String()
    sentiment = fields.String(allow_none=True)
    value = fields.Float(attribute="sentiment_score", allow_none=True)
    score = fields.Float(attribute="probability", allow_none=True)
    abstained = fields.Boolean(attribute="is_abstained")


class PostShape(Shape):
    """One item of a feed; posts of one story say the same."""

    id = Id("pst")
    external_id = fields.String()
    feed = fields.String()
    title = fields.String()
    body = fields.String()
    url = fields.String(allow_none=True)
    author = fields.String(allow_none=True)
    published_at = Instant(attribute="occurred_at")
    precision = fields.String()
    received_at = Instant()
    story = Id("sty", allow_none=True)
    topic = fields.String(allow_none=True)
    topic_score = fields.Float(attribute="topic_probability", allow_none=True)
    topic_abstained = fields.Boolean(attribute="is_topic_abstained")
    sentiment = fields.String(allow_none=True)
    value = fields.Float(attribute="sentiment_score", allow_none=True)
    language = fields.String()
    is_supported = fields.Boolean()
    mentions = fields.List(fields.Nested(MentionShape))
    version = fields.Integer()


PostPageShape = page_of(PostShape, "PostPage")


class RowErrorShape(Shape):
    """Why a row was not taken."""

    code = fields.String()
    detail = fields.String()


class PostRowShape(Shape):
    """What became of one pushed post: created, updated, unchanged or failed; rows count from 1."""

    row = fields.Integer()
    external_id = fields.String(allow_none=True)
    id = Id("pst", allow_none=True)
    status = fields.String()
    error = fields.Nested(RowErrorShape)


class FeedShape(Shape):
    """A source of posts."""

    id = Id("fed")
    slug = fields.String()
    name = fields.String()
    kind = fields.String()
    url = fields.String(allow_none=True)
    zone = fields.String()
    weight = fields.Float()
    licence_note = fields.String()
    language = fields.String()
    interval_ms = fields.Integer(allow_none=True)
    silent_after_ms = fields.Integer(allow_none=True)
    is_active = fields.Boolean()
    last_fetched_at = Instant(allow_none=True)
    last_post_at = Instant(allow_none=True)
    last_error = fields.String(allow_none=True)
    n_failures = fields.Integer()
    version = fields.Integer()


FeedPageShape = page_of(FeedShape, "FeedPage")


class NewFeedShape(Shape):
    """A feed to add."""

    slug = fields.String(required=True, validate=slug)
    name = fields.String(required=True, validate=Size(min=1, max=200))
    kind = fields.String(load_default="push", validate=OneOf(get_args(FeedKind)))
    url = fields.String(validate=Size(min=1, max=2000))
    zone = fields.String(validate=Size(min=1, max=60))
    weight = fields.Float(validate=Between(0, 10))
    licence_note = fields.String(validate=Size(max=1000))


class FeedChangeShape(Shape):
    """What to change of a feed; what is left out stays."""

    name = fields.String(validate=Size(min=1, max=200))
    url = fields.String(validate=Size(min=1, max=2000))
    zone = fields.String(validate=Size(min=1, max=60))
    weight = fields.Float(validate=Between(0, 100))
    licence_note = fields.String(validate=Size(max=1000))
    language = fields.String(validate=Size(max=2))
    interval_ms = fields.Integer(allow_none=True)
    silent_after_ms = fields.Integer(allow_none=True)
    is_active = fields.Boolean()


class EntityShape(Shape):
    """A company that is watched."""

    id = Id("ent")
    ticker = fields.String()
    name = fields.String()
    sector = fields.String()
    aliases = fields.List(fields.String())
    ambiguous = fields.List(fields.String())
    competitors = fields.List(fields.String())
    version = fields.Integer()


EntityPageShape = page_of(EntityShape, "EntityPage")


class NewEntityShape(Shape):
    """A company to watch; an alias in `ambiguous` counts only beside another sign of the company."""

    ticker = fields.String(required=True, validate=Size(min=1, max=12))
    name = fields.String(required=True, validate=Size(min=1, max=200))
    sector = fields.String(load_default="")
    aliases = fields.List(fields.String(validate=Size(min=1, max=100)), load_default=list, validate=Size(max=50))
    ambiguous = fields.List(fields.String(validate=Size(min=1, max=100)), load_default=list, validate=Size(max=50))
    competitors = fields.List(fields.String(validate=Size(min=1, max=12)), load_default=list, validate=Size(max=50))


class RangeShape(Shape):
    """Where a figure lies 19 times of 20."""

    low = fields.Float()
    high = fields.Float()


class ExpectedShape(Shape):
    """What is usual of a step, by the hour of the week, and the interval of the share seen; null: too little known."""

    stories = fields.Nested(RangeShape, allow_none=True)
    share = fields.Nested(RangeShape, allow_none=True)
    net = fields.Nested(RangeShape, allow_none=True)
    share_seen = fields.Nested(RangeShape, allow_none=True)


class PointShape(Shape):
    """One point of a series; net sentiment is null where nothing was said."""

    at = Instant()
    n_posts = fields.Integer()
    n_stories = fields.Integer()
    n_negative = fields.Integer()
    net_sentiment = fields.Float(allow_none=True)
    negative_share = fields.Float(allow_none=True)
    usual = fields.Nested(ExpectedShape)
