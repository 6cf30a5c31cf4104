"""Macros, articles and the search over them."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from app.answers.flows import find_macros, search_articles
from app.answers.flows.keep_articles import ARTICLE
from app.answers.flows.keep_macros import MACRO
from app.web import access
from app.web.api import api_lists, noun_routes
from app.web.api.api_shapes import (
    Between,
    ChangeShape,
    Id,
    Instant,
    Json,
    Number,
    OneOf,
    Shape,
    Size,
    Whole,
    page_of,
)
from app.web.api.openapi import blueprint, route

group = blueprint("knowledge", about="Macros and articles, of which answers are made.")


class MacroActionShape(Shape):
    """A change that a macro makes besides its text."""

    type = fields.String(required=True, validate=OneOf(("set_status", "add_tag", "route")))
    value = fields.String(required=True, validate=Size(min=1, max=200))


class MacroShape(Shape):
    """A reply template with `{{ placeholders }}`."""

    id = Id("mac")
    name = fields.String()
    body = fields.String()
    intents = fields.List(fields.String())
    actions = fields.List(fields.Nested(MacroActionShape))
    n_used = Whole()
    version = Whole()


class NewMacroShape(Shape):
    """A macro to write; a placeholder is a name between double braces."""

    name = fields.String(required=True, validate=Size(min=1, max=120))
    body = fields.String(required=True, validate=Size(min=1, max=20_000))
    intents = fields.List(fields.String(validate=Size(min=1, max=200)), load_default=[])
    actions = fields.List(fields.Nested(MacroActionShape), load_default=[])


class MacroChangeShape(ChangeShape):
    """The fields of a macro to change; the others stay."""

    name = fields.String(validate=Size(min=1, max=120))
    body = fields.String(validate=Size(min=1, max=20_000))
    intents = fields.List(fields.String(validate=Size(min=1, max=200)))
    actions = fields.List(fields.Nested(MacroActionShape))


class MacroQuery(Shape):
    """Words to look for in names and texts."""

    q = fields.String(load_default="", validate=Size(max=200))


class ArticleShape(Shape):
    """A page of the knowledge base; `body` is Markdown."""

    id = Id("art")
    slug = fields.String()
    title = fields.String()
    body = fields.String()
    intents = fields.List(fields.String())
    tags = fields.List(fields.String())
    updated_at = Instant()
    version = Whole()


class HitShape(Shape):
    """An article found for a question, with the passage that fits best."""

    article = Id("art", attribute="article_id")
    title = fields.String()
    slug = fields.String()
    score = Number()
    similarity = Number()
    passage = fields.String()


class SearchQuery(Shape):
    """The words or the question to look for, and the number of articles wanted."""

    q = fields.String(required=True, validate=Size(min=1, max=2000))
    limit = Whole(load_default=10, validate=Between(1, 50))


@route(group, "/macros", needs="macros:read", query=MacroQuery, returns=page_of(MacroShape, "MacroPage"))
def list_macros(query: Json) -> Json:
    """List all macros, or at most 200 that have the words."""
    return api_lists.whole(find_macros.with_words(access.services(), query["q"]))


noun_routes.add_routes(
    group,
    MACRO,
    path="/macros",
    prefix="mac",
    shape=MacroShape,
    new=NewMacroShape,
    change=MacroChangeShape,
    needs="macros:read",
)


@route(group, "/articles", needs="articles:read", returns=page_of(ArticleShape, "ArticlePage"))
def list_articles() -> Json:
    """List all articles."""
    return api_lists.whole(search_articles.every(access.services()))


@route(group, "/articles/search", needs="articles:read", query=SearchQuery, returns=page_of(HitShape, "Hits"))
def search(query: Json) -> Json:
    """Search the articles for a question, by words and by meaning."""
    return api_lists.whole(search_articles.search(access.services(), query["q"], limit=query["limit"]))


@route(group, "/articles/<id(art):article_id>", needs="articles:read", returns=ArticleShape)
def show_article(article_id: int) -> Response:
    """Show an article."""
    found = ARTICLE.get(access.services().db, article_id, viewer=access.viewer())
    return api_lists.tagged(ArticleShape, found, version=found.version)
