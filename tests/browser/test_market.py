"""What an analyst does in a real browser, beyond the walk from a feed to an alert."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from app.web.event_stream import Seats
from tests.browser.conftest import Live


@pytest.fixture
def two_seats(live: Live) -> Iterator[Seats]:
    """A process that keeps two streams."""
    seats: Seats = live.house.site.app.extensions["bellwether.stream"]
    kept, seats.limit = seats.limit, 2
    # Pages of tests before, of other people, may not have been missed yet.
    for seat in list(seats.taken):
        seat.is_over.set()
        seats.leave(seat)
    yield seats
    seats.limit = kept


def test_going_from_page_to_page_never_runs_out_of_live_streams(live: Live, two_seats: Seats) -> None:
    """Closed pages keep their seats until they are missed; the page that is open is live all the same."""
    page = live.page("analyst")
    for _ in range(5):
        page.goto("/market")
        page.goto("/wall")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    assert len(two_seats.taken) <= two_seats.limit


def test_a_page_whose_stream_was_taken_over_says_so_and_does_not_take_it_back(live: Live, two_seats: Seats) -> None:
    pages = [live.page("analyst") for _ in range(3)]
    for page in pages:
        page.goto("/wall")
        expect(page.get_by_text("live", exact=True)).to_be_visible()
    expect(pages[0].get_by_text("live", exact=True)).to_be_hidden()
    pages[0].wait_for_timeout(4000)  # longer than a browser waits before it comes back
    for page in pages[1:]:
        expect(page.get_by_text("live", exact=True)).to_be_visible()
