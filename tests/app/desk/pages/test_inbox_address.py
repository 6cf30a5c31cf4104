"""The address is the filter."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.desk.domain.ticket import OPEN_STATUSES, TicketFilter
from app.desk.pages import inbox_address
from app.market.domain.market import PostFilter


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, TicketFilter()),
        ({"status": "solved"}, TicketFilter(status=("solved",))),
        ({"status": "all"}, TicketFilter(status=inbox_address.STATUSES)),
        ({"status": "no_such"}, TicketFilter(status=OPEN_STATUSES)),
        ({"queue": "3", "intent": "get_refund"}, TicketFilter(queue_id=3, intent="get_refund")),
        ({"assignee": "me"}, TicketFilter(assignee_id=7)),
        ({"assignee": "none"}, TicketFilter(is_unassigned=True)),
        ({"assignee": "12"}, TicketFilter(assignee_id=12)),
        ({"priority": "urgent", "band": "low"}, TicketFilter(priority="urgent", band="low")),
        ({"priority": "shouting"}, TicketFilter()),
        ({"needs_person": "1", "q": " lost card "}, TicketFilter(needs_person=True, query="lost card")),
    ],
)
def test_a_query_becomes_a_ticket_filter(query: dict[str, str], expected: TicketFilter) -> None:
    assert inbox_address.ticket_filter(MultiDict(query), me=7) == expected


def test_a_query_becomes_a_post_filter() -> None:
    query = MultiDict({"entity": "4", "topic": "earnings", "sentiment": "negative", "q": "x"})
    assert inbox_address.post_filter(query) == PostFilter(
        entity_id=4, topic="earnings", sentiment="negative", query="x"
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("81", 81), ("tkt_81", 81), ("", None), (None, None), ("8a", None), ("9" * 20, None), ("²", None)],
)
def test_an_id_is_read_with_or_without_its_prefix(text: str | None, number: int | None) -> None:
    assert inbox_address.whole(text) == number


def test_a_changed_filter_starts_at_the_first_page() -> None:
    query = MultiDict({"queue": "3", "q": "card", "after": "cursor"})
    assert inbox_address.kept(query, queue="") == {"q": "card"}
    assert inbox_address.kept(query, after="next") == {"queue": "3", "q": "card", "after": "next"}


def test_a_queue_alone_is_no_narrowing() -> None:
    assert not inbox_address.is_narrowed(MultiDict({"queue": "3", "after": "x"}))
    assert inbox_address.is_narrowed(MultiDict({"queue": "3", "q": "card"}))
