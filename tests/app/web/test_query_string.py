"""Query strings: numbers read out of them, and addresses with a part changed."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.web import query_string


@pytest.mark.parametrize(
    ("text", "number"),
    [("81", 81), ("tkt_81", 81), ("", None), (None, None), ("8a", None), ("9" * 20, None), ("²", None)],
)
def test_an_id_is_read_with_or_without_its_prefix(text: str | None, number: int | None) -> None:
    assert query_string.whole(text) == number


def test_a_changed_filter_starts_at_the_first_page() -> None:
    query = MultiDict({"queue": "3", "q": "card", "after": "cursor"})
    assert query_string.kept(query, queue="") == {"q": "card"}
    assert query_string.kept(query, after="next") == {"queue": "3", "q": "card", "after": "next"}
