"""Feeds that mean harm: each costs its own turn, and its fault stands on it."""

from __future__ import annotations

import pytest

from app.core import changes
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.quarantine import quarantine_rows
from app.core.services import Services
from app.market.domain.market import Feed
from app.market.flows import fetch_feeds
from app.market.flows.keep_feeds import FEED
from app.market.sources import feed_process
from app.market.store import feeds as rows
from tests.app.feed_server import RSS, Answer, Wire


@pytest.fixture
def feed(private: Services, wire: Wire) -> Feed:
    """An RSS feed at the server."""
    return changes.add(
        private.db, FEED, {"slug": "wire", "name": "Wire", "kind": "rss", "url": wire.url}, viewer=SYSTEM
    ).row


def test_a_hostile_feed_is_told_and_holds_up_no_other(
    private: Services, feed: Feed, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hostile(body: bytes, *, zone: str, now: int) -> object:
        return kept(b"<" * 9_000_000 if b"NOT-THIS" in body else body, zone=zone, now=now, most_cpu_s=1)

    kept = feed_process.drafts_of
    monkeypatch.setattr(feed_process, "drafts_of", hostile)
    slow = changes.add(
        private.db, FEED, {"slug": "slow", "name": "Slow", "kind": "rss", "url": wire.url + "?slow"}, viewer=SYSTEM
    ).row
    with private.db.transaction() as tx:
        rows.note(tx, slow.id, columns={"next_fetch_at": 1})
    wire.slow_path, wire.slow_body = "/feed.xml?slow", b"NOT-THIS"
    assert fetch_feeds.fetch_due(private) == 2
    assert (rows.get(private.db, slow.id).last_error, rows.get(private.db, feed.id).last_error) == (
        "feed_too_slow",
        None,
    )
    fetched = rows.get(private.db, feed.id).last_post_at, rows.get(private.db, slow.id).last_post_at
    assert fetched == (1_772_445_600_000, None)
    took = [event for event in event_log.of(private.db, "feed", slow.id) if event.verb == "fetch_failed"]
    arrived = [event for event in event_log.of(private.db, "feed", feed.id) if event.verb == "posts_received"]
    assert arrived[0].id < took[0].id, "the feed that was due later came in while the slow one was read"


def test_the_reason_of_an_entry_is_kept_with_the_entry(private: Services, feed: Feed, wire: Wire) -> None:
    point = '<item><title>Odd</title><gml:Point srsName="EPSG:q"><gml:pos>1 2</gml:pos></gml:Point></item>'
    body = RSS.replace("<rss ", '<rss xmlns:gml="http://www.opengis.net/gml" ').replace(
        "</channel>", point + "</channel>"
    )
    wire.answer = Answer(body.encode())
    for _ in range(2):
        states = [one.state for one in fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)]
    assert states == ["unchanged", "unchanged", "failed"]
    (item,) = quarantine_rows.page(private.db, limit=9).items
    assert (item.kind, item.source, item.feed_id, item.code) == ("post", "Wire", feed.id, "unreadable")
    assert rows.get(private.db, feed.id).last_error is None
