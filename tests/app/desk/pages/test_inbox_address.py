"""The address is the filter."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.desk.domain.ticket import OPEN_STATUSES, TicketFilter
from app.desk.pages import inbox_address


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


def test_a_queue_alone_is_no_narrowing() -> None:
    assert not inbox_address.is_narrowed(MultiDict({"queue": "3", "after": "x"}))
    assert inbox_address.is_narrowed(MultiDict({"queue": "3", "q": "card"}))
