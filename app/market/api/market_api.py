"""The market: posts pushed and read, feeds, entities, and sentiment over time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, get_args

from flask import Response, request, stream_with_context
from marshmallow import fields

from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import BellwetherError, InputError, NotFound, TooLarge
from app.core.nouns import Fields
from app.market.api.market_shapes import (
    EntityPageShape,
    EntityShape,
    FeedChangeShape,
    FeedPageShape,
    FeedShape,
    NewEntityShape,
    NewFeedShape,
    PointShape,
    PostPageShape,
    PostRowShape,
    PostShape,
)
from app.market.domain.market import Feed, Post, PostFilter, PostResult, SubjectKind
from app.market.flows import find_posts, ingest_posts, keep_companies, keep_feeds, read_posts, show_market
from app.market.flows.correct_post import POST
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.web import access, error_rendering, problem_sentences
from app.web.api import api_lists, request_body
from app.web.api.api_shapes import GivenInstant, Json, OneOf, PageQuery, Shape, Size, field_error, page_of, row
from app.web.api.openapi import blueprint, route
from app.web.serving import long_answers

group = blueprint("market", about="Posts, the feeds they come from, the companies they name, and the mood over time.")

MOST_POINTS = 2000
SENTIMENTS = ("negative", "neutral", "positive")
NDJSON_OUT = "application/x-ndjson"


PUSHED = {"anyOf": [{"type": "object"}, {"type": "array", "items": {}}]}


class PostQuery(PageQuery):
    """A choice of posts, newest first."""

    feed = fields.String(load_default=None, validate=Size(min=1), metadata={"description": "A feed's slug."})
    entity = fields.String(load_default=None, validate=Size(min=1), metadata={"description": "A ticker."})
    topic = fields.String(load_default=None)
    sentiment = fields.String(load_default=None, validate=OneOf(SENTIMENTS))
    since = GivenInstant(load_default=None)
    until = GivenInstant(load_default=None)
    q = fields.String(load_default="")


class PushQuery(Shape):
    """The feed of pushed posts."""

    feed = fields.String(
        required=True, validate=Size(min=1), metadata={"description": "The slug of the feed they belong to."}
    )


class SeriesQuery(Shape):
    """A series and its step."""

    kind = fields.String(load_default="entity", validate=OneOf(get_args(SubjectKind)))
    id = fields.String(load_default="", metadata={"description": "A ticker, a topic, a feed's slug; empty for market."})
    since = GivenInstant(load_default=None, metadata={"description": "14 days ago where nothing is said."})
    until = GivenInstant(load_default=None)
    step = fields.String(load_default="day", validate=OneOf(("hour", "day")))


@route(group, "/posts", needs="posts:read", query=PostQuery, returns=PostPageShape)
def list_posts(query: Json) -> Json:
    """Posts in sight with the companies they name."""
    services, viewer = access.services(), access.viewer()
    found = find_posts.page(services, _filter(query), viewer=viewer, limit=query["limit"], after=query["after"])
    return api_lists.page(found, _posts_out(found.items))


@route(group, "/posts/<id(pst):post_id>", needs="posts:read", returns=PostShape)
def show_post(post_id: int) -> Response:
    """One post."""
    found = POST.get(access.services().db, post_id, viewer=access.viewer())
    return api_lists.tagged(PostShape, _posts_out([found])[0], version=found.version)


@route(
    group,
    "/posts",
    method="POST",
    needs="posts:write",
    query=PushQuery,
    returns=page_of(PostRowShape, "PostRows"),
    is_large=True,
    in_rows=True,
    also=(429,),
    docs={
        "requestBody": {
            "required": True,
            "description": "One post, an array of them, or a line of JSON each (`application/x-ndjson`): more than "
            "`BELLWETHER_MAX_BODY_BYTES` only in lines.",
            "content": {request_body.JSON: {"schema": PUSHED}}
            | {kind: {"schema": {"type": "string"}} for kind in request_body.NDJSON},
        }
    },
)
def push_posts(query: Json) -> Any:
    """Add posts; each row answers for itself, and the same external_id again is an update."""
    services, viewer = access.services(), access.viewer()
    feed = feed_of(query["feed"])
    if request_body.media_type() in request_body.NDJSON:
        drafts = read_posts.posts_from_file(request_body.lines(), form="jsonl")
        results = ingest_posts.receive_each(services, feed.id, drafts, viewer=viewer)
        if (request.content_length or 0) > access.settings().max_body_bytes:
            return long_answers.stream(_lines(results), kind=NDJSON_OUT)
        return Response(stream_with_context(_lines(results)), content_type=NDJSON_OUT)
    payload = request_body.read_json(accepted=(request_body.JSON, *request_body.NDJSON))
    n_rows = len(payload) if isinstance(payload, list) else 1
    if n_rows > access.settings().max_batch:
        raise TooLarge("too_many_items", size=n_rows, limit=access.settings().max_batch)
    drafts = read_posts.posts_from_json(payload)
    return api_lists.whole(_result_out(one) for one in ingest_posts.receive(services, feed.id, drafts, viewer=viewer))


@route(group, "/feeds", needs="feeds:read", returns=FeedPageShape)
def list_feeds() -> Json:
    """The feeds in sight."""
    return api_lists.whole(_feeds_out(keep_feeds.in_sight(access.services(), viewer=access.viewer())))


@route(group, "/feeds", method="POST", needs="feeds:write", reads=NewFeedShape, returns=FeedShape, status=201)
def add_feed(payload: Fields) -> Response:
    """Add a feed: posts are pushed to it, fetched from its address, or read from files."""
    if payload["kind"] == "rss" and "url" not in payload:
        raise InputError(fields=(field_error("/url", "required"),))
    made = changes.add(access.services().db, FEED, _with_team(payload), viewer=access.viewer()).row
    return api_lists.tagged(FeedShape, _feeds_out([made])[0], version=made.version, status=201)


@route(
    group,
    "/feeds/<id(fed):feed_id>",
    method="PATCH",
    needs="feeds:write",
    reads=FeedChangeShape,
    is_versioned=True,
    returns=FeedShape,
)
def change_feed(payload: Fields, feed_id: int) -> Response:
    """Change a feed; what it brought stays."""
    version = api_lists.expected_version()
    given, db = _with_team(payload), access.services().db
    found = changes.change(db, FEED, feed_id, given, viewer=access.viewer(), version=version).row
    return api_lists.tagged(FeedShape, _feeds_out([found])[0], version=found.version)


@route(group, "/entities", needs="market:read", returns=EntityPageShape)
def list_entities() -> Json:
    """The companies that are watched."""
    return api_lists.whole(keep_companies.every(access.services()))


@route(group, "/entities", method="POST", needs="feeds:write", reads=NewEntityShape, returns=EntityShape, status=201)
def add_entity(payload: Fields) -> Response:
    """Watch another company, from now on."""
    made = changes.add(access.services().db, ENTITY, payload, viewer=access.viewer()).row
    return api_lists.tagged(EntityShape, made, version=made.version, status=201)


@route(group, "/series", needs="market:read", query=SeriesQuery, returns=page_of(PointShape, "Points"), also=(413,))
def series(query: Json) -> Json:
    """Counts of unique stories and net sentiment over time for one subject, with what is usual of each step."""
    until = query["until"] or clock.now_ms()
    since = query["since"] if query["since"] is not None else until - 14 * DAY_MS
    step = HOUR_MS if query["step"] == "hour" else DAY_MS
    if since >= until:
        raise InputError(fields=(field_error("/since", "bad_period"),))
    if (until - since) / step > MOST_POINTS:
        raise TooLarge("too_many_items", size=(until - since) // step, limit=MOST_POINTS)
    named = _subject_id(query["kind"], query["id"])
    services, kind, viewer = access.services(), query["kind"], access.viewer()
    points = show_market.series(services, kind, named, since=since, until=until, step_ms=step, viewer=viewer)
    usual = show_market.usual(services, points, subject_kind=kind, subject_id=named, step_ms=step, viewer=viewer)
    return api_lists.whole({**asdict(point), "usual": known} for point, known in zip(points, usual, strict=True))


def _feeds_out(found: Iterable[Feed]) -> list[Json]:
    names = keep_feeds.team_names(access.services())
    return [row(feed, team=None if feed.team_id is None else names.get(feed.team_id)) for feed in found]


def _with_team(payload: Fields) -> Fields:
    """The fields that were sent, with the team's id for its name."""
    values = {name: value for name, value in payload.items() if name != "team"}
    if "team" not in payload:
        return values
    known = keep_feeds.teams_of(access.services().db, viewer=access.viewer())
    chosen = {None: None} | {team.name: team.id for team in known}
    if payload["team"] not in chosen:
        raise InputError(fields=(field_error("/team", "unknown_team"),))
    return values | {"team_id": chosen[payload["team"]]}


def feed_of(slug: str) -> Feed:
    """Return the feed with this slug; raises InputError for one that is not in sight."""
    try:
        return keep_feeds.of_slug(access.services(), slug, viewer=access.viewer())
    except NotFound:
        raise InputError(fields=(field_error("/feed", "unknown_feed", value=slug),)) from None


def _filter(query: Json) -> PostFilter:
    return PostFilter(
        entity_id=None if query["entity"] is None else _entity_id(query["entity"], pointer="/entity"),
        feed_id=None if query["feed"] is None else feed_of(query["feed"]).id,
        topic=query["topic"],
        sentiment=query["sentiment"],
        since=query["since"],
        until=query["until"],
        query=query["q"],
    )


def _entity_id(ticker: str, *, pointer: str) -> int:
    try:
        return keep_companies.of_ticker(access.services(), ticker).id
    except NotFound:
        raise InputError(fields=(field_error(pointer, "unknown_entity", value=ticker),)) from None


def _subject_id(kind: str, name: str) -> str:
    if kind == "entity":
        return str(_entity_id(name, pointer="/id"))
    if kind == "feed":
        return str(feed_of(name).id)
    return name


def _posts_out(found: Iterable[Post]) -> list[Json]:
    services, listed = access.services(), list(found)
    slugs = keep_feeds.slugs(services)
    tickers = {entity.id: entity.ticker for entity in keep_companies.every(services)}
    named = find_posts.mentions_in(services, listed)
    return [
        row(
            post,
            feed=slugs.get(post.feed_id, ""),
            story=post.story_id,
            mentions=[row(one, ticker=tickers.get(one.entity_id, "")) for one in named.get(post.id, ())],
        )
        for post in listed
    ]


def _result_out(result: PostResult) -> Json:
    if result.error is None:
        return row(result, status=result.state)
    detail = problem_sentences.sentence(result.error, dict(result.params))[1]
    return row(result, status=result.state, error={"code": result.error, "detail": detail})


def _lines(results: Iterable[PostResult]) -> Iterator[str]:
    shape = PostRowShape()
    try:
        for result in results:
            yield json.dumps(shape.dump(_result_out(result)), ensure_ascii=False) + "\n"
    except BellwetherError as error:
        # The answer has begun, so its status can no longer change: the last line says what stopped it.
        yield json.dumps({"status": "stopped", "error": error_rendering.as_document(error_rendering.of(error))}) + "\n"
