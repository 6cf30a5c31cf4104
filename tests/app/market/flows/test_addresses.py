"""Addresses of feeds: what cannot be one is refused when it is saved."""

from __future__ import annotations

import pytest

from app.core import changes
from app.core.errors import InputError
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.flows.keep_feeds import FEED

IMPOSSIBLE = 'http://x/"><'


@pytest.mark.parametrize("url", [IMPOSSIBLE, "http://a..b/", "http://ann:pw@wire.example/"])
def test_an_impossible_address_of_a_feed_is_refused(services: Services, url: str) -> None:
    with pytest.raises(InputError, match="bad_url"):
        changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "rss", "url": url}, viewer=SYSTEM)
    feed = changes.add(
        services.db,
        FEED,
        {"slug": "wire", "name": "Wire", "kind": "rss", "url": "https://wire.example/x"},
        viewer=SYSTEM,
    ).row
    with pytest.raises(InputError, match="bad_url"):
        changes.change(services.db, FEED, feed.id, {"url": url}, viewer=SYSTEM)


def test_an_address_kept_from_before_stops_no_other_change(services: Services) -> None:
    feed = changes.add(
        services.db, FEED, {"slug": "old", "name": "Old", "kind": "rss", "url": "https://wire.example/x"}, viewer=SYSTEM
    ).row
    with services.db.transaction() as tx:
        tx.execute("UPDATE feed SET url = ? WHERE id = ?", (IMPOSSIBLE, feed.id))
    changed = changes.change(services.db, FEED, feed.id, {"is_active": False, "url": IMPOSSIBLE}, viewer=SYSTEM).row
    assert not changed.is_active
