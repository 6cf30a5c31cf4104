"""The analysts' own topics."""

from __future__ import annotations

from typing import ClassVar

from flask import Response
from marshmallow import fields

from app.core import changes
from app.core.nouns import Fields
from app.market.domain import topic as limits
from app.market.flows import keep_topics
from app.market.flows.keep_topics import OWN_TOPIC
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import Between, ChangeShape, Id, Json, Number, Shape, Size, Whole, page_of
from app.web.api.openapi import blueprint, route

group = blueprint("topics", about="Topics that analysts define by words or examples, beside those of the model.")


class TopicShape(Shape):
    """A topic; `subject` is what series, rules and posts know it by."""

    id = Id("top")
    subject = fields.String(attribute="subject_id")
    title = fields.String()
    words = fields.List(fields.String())
    without = fields.List(fields.String())
    examples = fields.List(fields.String())
    unlike = fields.List(fields.String())
    reach = Number()
    version = Whole()


WORD = fields.String(validate=Size(min=1, max=limits.LONGEST_WORD))
EXAMPLE = fields.String(validate=Size(min=1, max=limits.LONGEST_EXAMPLE))
EXAMPLES: Json = {
    "allOf": [{"properties": {"examples": {"anyOf": [{"maxItems": 0}, {"minItems": limits.FEWEST_EXAMPLES}]}}}]
}
"""No examples, or enough to tell what they have in common."""


class NewTopicShape(Shape):
    """A post has the topic that says one of `words` or means what `examples` mean, and says none of `without`.

    Words are whole words, `*` for any ending. `unlike` are examples of what is not meant; by its examples a topic has
    at most `reach` percent of the posts that are stored when it is defined.
    """

    told: ClassVar[Json] = {
        "anyOf": [
            {"required": ["words"], "properties": {"words": {"minItems": 1}}},
            {"required": ["examples"], "properties": {"examples": {"minItems": limits.FEWEST_EXAMPLES}}},
        ],
        **EXAMPLES,
    }

    title = fields.String(required=True, validate=Size(min=1, max=limits.LONGEST_TITLE))
    words = fields.List(WORD, validate=Size(max=limits.MOST_WORDS))
    without = fields.List(WORD, validate=Size(max=limits.MOST_WORDS))
    examples = fields.List(EXAMPLE, validate=Size(max=limits.MOST_EXAMPLES))
    unlike = fields.List(EXAMPLE, validate=Size(max=limits.MOST_EXAMPLES))
    reach = Number(validate=Between(0.01, limits.WIDEST_REACH))


class TopicChangeShape(ChangeShape):
    """Fields to change; other words or examples are counted anew over the last 28 days."""

    told = EXAMPLES

    title = fields.String(validate=Size(min=1, max=limits.LONGEST_TITLE))
    words = fields.List(WORD, validate=Size(max=limits.MOST_WORDS))
    without = fields.List(WORD, validate=Size(max=limits.MOST_WORDS))
    examples = fields.List(EXAMPLE, validate=Size(max=limits.MOST_EXAMPLES))
    unlike = fields.List(EXAMPLE, validate=Size(max=limits.MOST_EXAMPLES))
    reach = Number(validate=Between(0.01, limits.WIDEST_REACH))


@route(group, "/topics", needs="market:read", returns=page_of(TopicShape, "TopicPage"))
def list_topics() -> Json:
    """The topics that analysts defined."""
    return api_lists.whole(keep_topics.every(access.services()))


@route(group, "/topics", method="POST", needs="feeds:write", reads=NewTopicShape, returns=TopicShape, status=201)
def add_topic(payload: Fields) -> Response:
    """Define a topic; posts have it from now on, and a job counts the last 28 days."""
    made = keep_topics.add_topic(access.services(), payload, viewer=access.viewer()).row
    return api_lists.tagged(TopicShape, made, version=made.version, status=201)


@route(
    group,
    "/topics/<id(top):topic_id>",
    method="PATCH",
    needs="feeds:write",
    reads=TopicChangeShape,
    is_versioned=True,
    returns=TopicShape,
)
def change_topic(payload: Fields, topic_id: int) -> Response:
    """Change a topic."""
    version = api_lists.expected_version()
    made = keep_topics.change_topic(access.services(), topic_id, payload, viewer=access.viewer(), version=version)
    found = made.row
    return api_lists.tagged(TopicShape, found, version=found.version)


@route(group, "/topics/<id(top):topic_id>", method="DELETE", needs="feeds:write", status=204)
def remove_topic(topic_id: int) -> Response:
    """Give a topic up; a job takes its counts away."""
    changes.remove(access.services().db, OWN_TOPIC, topic_id, viewer=access.viewer())
    return Response(status=204)
