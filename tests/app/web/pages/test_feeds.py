"""The page of feeds says in words why a feed cannot be fetched."""

from __future__ import annotations

import pytest

from app.domain.people import SYSTEM
from app.pipeline import feeds
from app.store import feeds as rows
from tests.app.web.pages.house import House

URL = "https://wire.example/feed.xml"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("timeout", f"{URL} did not answer as expected: it took too long."),
        ("http_503", f"{URL} did not answer as expected: it answered with an error (HTTP 503)."),
        ("unknown_host", f"{URL} did not answer as expected: it cannot be reached."),
        ("not_a_feed", "This is neither RSS nor Atom."),
        ("outgoing_refused", f"{URL} is not a public address and is not called."),
    ],
)
def test_the_fault_of_a_feed_is_told(house: House, fault: str, sentence: str) -> None:
    services = house.site.services
    feed = feeds.add_feed(services, viewer=SYSTEM, slug=fault.replace("_", "-"), name="Wire", kind="rss", url=URL)
    with services.db.transaction() as tx:
        rows.note(tx, feed.id, changes={"last_error": fault, "n_failures": 2})
    page = house.reader("analyst").get("/feeds").get_data(as_text=True)
    assert sentence in page
    assert "2 failures in a row" in page
