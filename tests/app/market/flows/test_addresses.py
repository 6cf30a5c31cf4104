"""Addresses of feeds: what cannot be one is refused when it is saved."""

from __future__ import annotations

import pytest

from app.core.errors import InputError
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.flows import fetch_feeds

IMPOSSIBLE = 'http://x/"><'


@pytest.mark.parametrize("url", [IMPOSSIBLE, "http://a..b/", "http://ann:pw@wire.example/"])
def test_an_impossible_address_of_a_feed_is_refused(services: Services, url: str) -> None:
    with pytest.raises(InputError, match="bad_url"):
        fetch_feeds.add_feed(services, viewer=SYSTEM, slug="wire", name="Wire", kind="rss", url=url)
    feed = fetch_feeds.add_feed(
        services, viewer=SYSTEM, slug="wire", name="Wire", kind="rss", url="https://wire.example/x"
    )
    with pytest.raises(InputError, match="bad_url"):
        fetch_feeds.change_feed(services, feed.id, viewer=SYSTEM, changes={"url": url})


def test_an_address_kept_from_before_stops_no_other_change(services: Services) -> None:
    feed = fetch_feeds.add_feed(
        services, viewer=SYSTEM, slug="old", name="Old", kind="rss", url="https://wire.example/x"
    )
    with services.db.transaction() as tx:
        tx.execute("UPDATE feed SET url = ? WHERE id = ?", (IMPOSSIBLE, feed.id))
    changed = fetch_feeds.change_feed(services, feed.id, viewer=SYSTEM, changes={"is_active": False, "url": IMPOSSIBLE})
    assert not changed.is_active
