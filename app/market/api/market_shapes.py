"""Posts, feeds, entities and series as the API shows them."""

from __future__ import annotations

from typing import ClassVar, get_args

from marshmallow import fields

from app.core.durations import MINUTE_MS
from app.market.domain.market import FeedKind
from app.market.flows import keep_feeds
from app.web.api.api_shapes import (
    LARGEST,
    Between,
    ChangeShape,
    Flag,
    Id,
    Instant,
    Json,
    Number,
    OneOf,
    Pattern,
    Shape,
    Size,
    Whole,
    page_of,
)

SLUG = Pattern(r"[a-z0-9]([a-z0-9_-]{0,58}[a-z0-9])?", code="bad_slug")
WEIGHT = Between(0.01, keep_feeds.MOST_WEIGHT)
_NOT_IN_URLS = r"\x00-\x20\x7f\\<>\"^`{|}\u2028\u2029"
"""Characters that no address carries unescaped."""

ADDRESS = Pattern(
    rf"[hH][tT][tT][pP][sS]?://[^{_NOT_IN_URLS}@/?#]{{1,253}}([/?#][^{_NOT_IN_URLS}]{{0,1700}})?", code="bad_url"
)


class MentionShape(Shape):
    """A company named in a post (characters `start` to `end`), and the sentiment towards it."""

    id = Id("men")
    ticker = fields.String()
    start = Whole()
    end = Whole()
    surface = fields.String()
    sentiment = fields.String(allow_none=True)
    value = Number(attribute="sentiment_score", allow_none=True)
    score = Number(attribute="probability", allow_none=True)
    abstained = Flag(attribute="is_abstained")


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
    topic_score = Number(attribute="topic_probability", allow_none=True)
    topic_abstained = Flag(attribute="is_topic_abstained")
    sentiment = fields.String(allow_none=True)
    value = Number(attribute="sentiment_score", allow_none=True)
    language = fields.String()
    is_supported = Flag()
    mentions = fields.List(fields.Nested(MentionShape))
    version = Whole()


PostPageShape = page_of(PostShape, "PostPage")


class RowErrorShape(Shape):
    """Why a row was not taken."""

    code = fields.String()
    detail = fields.String()


class PostRowShape(Shape):
    """The result of one pushed post: created, updated, unchanged or failed; rows count from 1."""

    row = Whole()
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
    weight = Number()
    licence_note = fields.String()
    team = fields.String(allow_none=True, metadata={"description": "Who sees its posts; null: everybody."})
    language = fields.String()
    interval_ms = Whole(allow_none=True)
    silent_after_ms = Whole(allow_none=True)
    is_active = Flag()
    last_fetched_at = Instant(allow_none=True)
    last_post_at = Instant(allow_none=True)
    last_error = fields.String(allow_none=True)
    n_failures = Whole()
    version = Whole()


FeedPageShape = page_of(FeedShape, "FeedPage")


TEAM = fields.String(
    allow_none=True,
    validate=Size(min=1, max=200),
    metadata={"description": "The team that it is for, one of yours; null: everybody sees its posts."},
)


class NewFeedShape(Shape):
    """A feed to add; one that is fetched needs its address."""

    told: ClassVar[Json] = {
        "anyOf": [{"properties": {"kind": {"enum": ["push", "file"]}}}, {"required": ["url"]}],
    }

    slug = fields.String(required=True, validate=SLUG)
    name = fields.String(required=True, validate=Size(min=1, max=200))
    kind = fields.String(load_default="push", validate=OneOf(get_args(FeedKind)))
    url = fields.String(validate=ADDRESS)
    zone = fields.String(validate=Size(min=1, max=60))
    weight = Number(validate=WEIGHT)
    licence_note = fields.String(validate=Size(max=1000))
    team = TEAM


class FeedChangeShape(ChangeShape):
    """Fields of a feed to change; those left out stay."""

    name = fields.String(validate=Size(min=1, max=200))
    url = fields.String(validate=ADDRESS)
    zone = fields.String(validate=Size(min=1, max=60))
    weight = Number(validate=WEIGHT)
    licence_note = fields.String(validate=Size(max=1000))
    team = TEAM
    language = fields.String(validate=Pattern("([a-z]{2})?", code="unknown_value"))
    interval_ms = Whole(allow_none=True, validate=Between(keep_feeds.LEAST_INTERVAL_MS, keep_feeds.MOST_INTERVAL_MS))
    silent_after_ms = Whole(allow_none=True, validate=Between(MINUTE_MS, LARGEST))
    is_active = Flag()


class EntityShape(Shape):
    """A company that is watched."""

    id = Id("ent")
    ticker = fields.String()
    name = fields.String()
    sector = fields.String()
    aliases = fields.List(fields.String())
    ambiguous = fields.List(fields.String())
    competitors = fields.List(fields.String())
    version = Whole()


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
    """The range of a figure, 19 times of 20."""

    low = Number()
    high = Number()


class ExpectedShape(Shape):
    """The usual figures of a step, by the hour of the week, and the range of the share seen; null: too little known."""

    stories = fields.Nested(RangeShape, allow_none=True)
    share = fields.Nested(RangeShape, allow_none=True)
    net = fields.Nested(RangeShape, allow_none=True)
    share_seen = fields.Nested(RangeShape, allow_none=True)


class PointShape(Shape):
    """One point of a series; net sentiment is null where nothing was said."""

    at = Instant()
    n_posts = Whole()
    n_stories = Whole()
    n_negative = Whole()
    net_sentiment = Number(allow_none=True)
    negative_share = Number(allow_none=True)
    usual = fields.Nested(ExpectedShape)
