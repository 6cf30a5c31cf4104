"""The address is the filter of a list of posts."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from app.market.domain.market import PostFilter
from app.market.pages import post_lists


def test_a_query_becomes_a_post_filter() -> None:
    query = MultiDict({"entity": "4", "topic": "earnings", "sentiment": "negative", "q": "x"})
    assert post_lists.post_filter(query) == PostFilter(entity_id=4, topic="earnings", sentiment="negative", query="x")
