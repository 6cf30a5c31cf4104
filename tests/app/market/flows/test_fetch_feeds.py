"""Feeds end to end: a real server on loopback, fetched politely, its faults kept and shown, its posts understood."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.core import changes, clock
from app.core.durations import MINUTE_MS
from app.core.errors import Conflict, DatabaseBusy, InputError, OutgoingError, OutgoingRefused
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import Feed, Post, PostDraft, PostFilter
from app.market.flows import fetch_feeds, ingest_posts
from app.market.flows.keep_feeds import FEED
from app.market.sources import feed_download, feed_process
from app.market.sources.post_drafts import from_rss
from app.market.store import feeds as rows
from app.market.store import mentions
from app.market.store import posts as post_rows
from tests.app.feed_server import ATOM, RSS, Answer, Wire


@pytest.fixture
def feed(private: Services, wire: Wire) -> Feed:
    """An RSS feed at the server."""
    return changes.add(
        private.db, FEED, {"slug": "wire", "name": "Wire", "kind": "rss", "url": wire.url}, viewer=SYSTEM
    ).row


def stored(services: Services) -> list[Post]:
    """Every post, newest first."""
    return list(post_rows.page(services.db, PostFilter(), viewer=SYSTEM).items)


def verbs(services: Services, feed: Feed) -> list[str]:
    """What happened to the feed."""
    return [event.verb for event in event_log.of(services.db, "feed", feed.id)]


def now(services: Services, feed: Feed) -> Feed:
    """The feed as it stands."""
    return rows.get(services.db, feed.id)


def test_posts_of_an_rss_feed_are_stored_and_understood(private: Services, feed: Feed) -> None:
    assert [result.state for result in fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)] == ["created", "created"]
    beats, falls = stored(private)
    assert (falls.external_id, falls.title, falls.body) == (
        "a1",
        "Northwharf falls after strike",
        "Three ports stand still.",
    )
    assert (falls.url, falls.occurred_at, falls.sentiment) == (
        "https://wire.example/a1",
        1_772_442_000_000,
        "negative",
    )
    named = mentions.of_posts(private.db, [falls.id, beats.id])
    assert [(one.surface, one.sentiment) for one in named[falls.id]] == [("Northwharf", "negative")]
    assert [(one.surface, one.sentiment) for one in named[beats.id]] == [("Brantwing", "positive")]
    after = now(private, feed)
    assert (after.last_error, after.n_failures, after.last_post_at) == (None, 0, beats.occurred_at)
    assert verbs(private, feed) == ["created", "posts_received"]


def test_an_atom_feed_is_read_too(private: Services, feed: Feed, wire: Wire) -> None:
    wire.answer = Answer(ATOM.encode())
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    (post,) = stored(private)
    assert (post.external_id, post.url, post.author) == ("urn:1", "https://ledger.example/1", "J. Reed")


def test_what_has_not_changed_is_not_read_again(private: Services, feed: Feed, wire: Wire) -> None:
    wire.answer.headers = {"ETag": '"v1"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    assert "if-none-match" not in wire.asked[0]
    assert fetch_feeds.fetch(private, feed.id, viewer=SYSTEM) == []
    assert wire.asked[1]["if-none-match"] == '"v1"'
    assert wire.asked[1]["if-modified-since"] == "Mon, 02 Mar 2026 10:00:00 GMT"
    assert len(stored(private)) == 2
    after = now(private, feed)
    assert (after.etag, after.last_modified) == ('"v1"', "Mon, 02 Mar 2026 10:00:00 GMT")
    assert after.n_failures == 0


def test_a_feed_without_etag_brings_only_what_is_new(private: Services, feed: Feed, wire: Wire) -> None:
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    wire.answer = Answer(RSS.replace("after strike", "after strike, then rallies").replace("a2", "a3").encode())
    states = {one.external_id: one.state for one in fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)}
    assert states == {"a1": "updated", "a3": "created"}
    assert len(stored(private)) == 3


def test_another_address_is_not_asked_with_the_old_ones_etag(private: Services, feed: Feed, wire: Wire) -> None:
    wire.answer.headers = {"ETag": '"v1"'}
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    changes.change(private.db, FEED, feed.id, {"url": wire.url + "?section=markets"}, viewer=SYSTEM)
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    assert "if-none-match" not in wire.asked[-1]
    changes.change(private.db, FEED, feed.id, {"name": "Wire, markets"}, viewer=SYSTEM)
    assert now(private, feed).etag == '"v1"'


def test_an_address_that_moved_for_good_is_remembered(private: Services, feed: Feed, wire: Wire) -> None:
    old = wire.url.replace("feed.xml", "old.xml")
    changes.change(private.db, FEED, feed.id, {"url": old}, viewer=SYSTEM)
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    assert now(private, feed).url == wire.url
    moved = event_log.of(private.db, "feed", feed.id)[-1]
    assert (moved.verb, moved.before, moved.after) == ("edited", {"url": old}, {"url": wire.url})
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    assert wire.asked[-1]["path"] == "/feed.xml"


def slow(patch: pytest.MonkeyPatch) -> Answer:
    """An answer that comes after the time is over."""
    patch.setattr(feed_download, "_TIMEOUT_S", 0.2)
    return Answer(wait_s=1.0)


def large(patch: pytest.MonkeyPatch) -> Answer:
    """An answer over the size limit."""
    patch.setattr(feed_download, "_MAX_BYTES", 1000)
    return Answer(b"x" * 1001)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], Answer]] = {
    "timeout": slow,
    "too_large": large,
    "http_500": lambda _: Answer(status=500),
    "http_404": lambda _: Answer(status=404),
    "not_a_feed": lambda _: Answer(b"<html><body>Sign in first</body></html>"),
    "broken_answer": lambda _: Answer(headers={"Content-Length": "5000"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_kept_waits_longer_and_longer_and_is_forgotten(
    private: Services, feed: Feed, wire: Wire, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    start, waits = clock.now_ms(), []
    with monkeypatch.context() as patch, clock.frozen(start):
        wire.answer = FAULTS[fault](patch)
        for _ in range(3):
            with pytest.raises((OutgoingError, InputError)):
                fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
            waits.append(((now(private, feed).next_fetch_at or 0) - start) // MINUTE_MS)
    after = now(private, feed)
    assert (after.last_error, after.n_failures, waits) == (fault, 3, [20, 40, 80])
    assert stored(private) == []
    wire.answer = Answer()
    with clock.frozen(start):
        fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    after = now(private, feed)
    assert (after.last_error, after.n_failures, after.next_fetch_at) == (None, 0, start + 10 * MINUTE_MS)
    assert verbs(private, feed) == ["created", "fetch_failed", "posts_received", "fetch_recovered"]


def test_a_feed_is_fetched_as_often_as_it_asks_for(private: Services, feed: Feed, wire: Wire) -> None:
    start = clock.now_ms()
    changes.change(private.db, FEED, feed.id, {"interval_ms": 45 * MINUTE_MS}, viewer=SYSTEM)
    with clock.frozen(start):
        fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
        assert now(private, feed).next_fetch_at == start + 45 * MINUTE_MS
        wire.answer = Answer(status=503)
        with pytest.raises(OutgoingError):
            fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
        assert now(private, feed).next_fetch_at == start + 90 * MINUTE_MS
    with pytest.raises(InputError):
        changes.change(private.db, FEED, feed.id, {"interval_ms": MINUTE_MS}, viewer=SYSTEM)


def test_xml_that_breaks_off_gives_what_can_be_read(private: Services, feed: Feed, wire: Wire) -> None:
    wire.answer = Answer(RSS[: RSS.index("<item><guid>a2")].encode())
    fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    assert [post.external_id for post in stored(private)] == ["a1"]


def test_the_other_side_may_ask_for_patience(private: Services, feed: Feed, wire: Wire) -> None:
    wire.answer = Answer(status=429, headers={"Retry-After": "7200"})
    with clock.frozen(clock.now_ms()), pytest.raises(OutgoingError):
        fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    after = now(private, feed)
    assert after.last_error == "http_429"
    assert (after.next_fetch_at or 0) - (after.last_fetched_at or 0) == 120 * MINUTE_MS


def test_the_round_takes_active_feeds_whose_time_has_come(private: Services, feed: Feed, wire: Wire) -> None:
    names = ("paused", "later")
    others = [
        changes.add(private.db, FEED, {"slug": name, "name": name, "kind": "rss", "url": wire.url}, viewer=SYSTEM).row
        for name in names
    ]
    changes.add(private.db, FEED, {"slug": "pushed", "name": "Pushed", "kind": "push"}, viewer=SYSTEM)
    changes.change(private.db, FEED, others[0].id, {"is_active": False}, viewer=SYSTEM)
    with private.db.transaction() as tx:
        rows.note(tx, others[1].id, columns={"next_fetch_at": clock.now_ms() + MINUTE_MS})
    assert fetch_feeds.fetch_due(private) == 2
    assert len(wire.asked) == 1
    assert fetch_feeds.fetch_due(private) == 0
    assert len(wire.asked) == 1
    with clock.frozen(clock.now_ms() + 30 * MINUTE_MS):
        assert fetch_feeds.fetch_due(private) == 2
    assert len(wire.asked) == 3


def test_one_broken_feed_does_not_stop_the_others(
    private: Services, feed: Feed, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first fails as an unreachable one does, the second in a way that nobody thought of.
    with private.db.transaction() as tx:
        rows.note(tx, feed.id, columns={"url": "http://127.0.0.1:1024/gone", "next_fetch_at": 1})
    odd = changes.add(
        private.db, FEED, {"slug": "odd", "name": "Odd", "kind": "rss", "url": wire.url + "?odd"}, viewer=SYSTEM
    ).row
    with private.db.transaction() as tx:
        rows.note(tx, odd.id, columns={"next_fetch_at": 2, "zone": "Moon/Base"})
    changes.add(private.db, FEED, {"slug": "sound", "name": "Sound", "kind": "rss", "url": wire.url}, viewer=SYSTEM)

    def strict(body: bytes, *, zone: str, now: int) -> object:
        if zone == "Moon/Base":
            raise RecursionError
        return from_rss(body, zone=zone, now=now)

    monkeypatch.setattr(feed_process, "drafts_of", strict)
    assert fetch_feeds.fetch_due(private) == 2
    assert (now(private, feed).last_error, now(private, odd).last_error) == ("unreachable", "unreadable")


def test_a_feed_under_way_is_not_taken_twice(private: Services, feed: Feed) -> None:
    moment = clock.now_ms()
    with private.db.transaction() as tx:
        assert rows.claim(tx, feed.id, now=moment, until=moment + MINUTE_MS)
        assert not rows.claim(tx, feed.id, now=moment, until=moment + MINUTE_MS)
    assert rows.due(private.db, now=moment) == ()
    assert [one.id for one in rows.due(private.db, now=moment + MINUTE_MS)] == [feed.id]


def test_a_busy_database_is_no_fault_of_the_feed(
    private: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy

    with monkeypatch.context() as patch:
        patch.setattr(ingest_posts, "receive", busy)
        with pytest.raises(DatabaseBusy):
            fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)
    assert (now(private, feed).last_error, now(private, feed).n_failures) == (None, 0)
    assert len(fetch_feeds.fetch(private, feed.id, viewer=SYSTEM)) == 2


def test_an_address_of_the_own_network_is_refused_unless_allowed(services: Services, wire: Wire) -> None:
    feed = changes.add(
        services.db, FEED, {"slug": "inside", "name": "Inside", "kind": "rss", "url": wire.url}, viewer=SYSTEM
    ).row
    with pytest.raises(OutgoingRefused):
        fetch_feeds.fetch(services, feed.id, viewer=SYSTEM)
    assert wire.asked == []
    assert now(services, feed).last_error == "outgoing_refused"


def test_a_pushed_feed_is_never_fetched(services: Services) -> None:
    feed = changes.add(services.db, FEED, {"slug": "pushed", "name": "Pushed", "kind": "push"}, viewer=SYSTEM).row
    with pytest.raises(InputError, match="bad_url"):
        fetch_feeds.fetch(services, feed.id, viewer=SYSTEM)
    assert now(services, feed).next_fetch_at is None


@pytest.mark.parametrize("url", [None, "", "ftp://wire.example/x", "javascript:alert(1)", "wire.example"])
def test_a_polled_feed_needs_an_address_of_the_web(services: Services, url: str | None) -> None:
    with pytest.raises(InputError, match="bad_url"):
        changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "rss", "url": url}, viewer=SYSTEM)


def test_a_slug_is_taken_once(private: Services, feed: Feed) -> None:
    with pytest.raises(Conflict, match="slug_taken"):
        changes.add(private.db, FEED, {"slug": "wire", "name": "Again", "kind": "push"}, viewer=SYSTEM)


class Flood(BaseHTTPRequestHandler):
    """A feed that goes on for two gigabytes unless the reader hangs up."""

    n_sent = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/rss+xml")
        self.end_headers()
        piece = b"<item><title>Larkspur falls</title></item>" * 20_000
        with suppress(OSError):
            self.wfile.write(b"<rss version='2.0'><channel>")
            while type(self).n_sent < 2_000_000_000:
                self.wfile.write(piece)
                type(self).n_sent += len(piece)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def test_a_feed_that_sends_two_gigabytes_is_cut_off(private: Services) -> None:
    server = HTTPServer(("127.0.0.1", 0), Flood)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/feed"
    flood = changes.add(
        private.db, FEED, {"slug": "flood", "name": "Flood", "kind": "rss", "url": url}, viewer=SYSTEM
    ).row
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OutgoingError):
        fetch_feeds.fetch(private, flood.id, viewer=SYSTEM)
    server.shutdown()
    server.server_close()
    thread.join()
    assert rows.get(private.db, flood.id).last_error == "too_large"
    assert Flood.n_sent < 50_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


def test_a_feed_says_its_language_and_weight(private: Services) -> None:
    feed = changes.add(
        private.db, FEED, {"slug": "zh", "name": "Zh", "kind": "push", "language": "zh", "weight": 2.0}, viewer=SYSTEM
    ).row
    ingest_posts.receive(
        private, feed.id, [PostDraft(external_id="1", title="Larkspur rises and rises")], viewer=SYSTEM
    )
    (post,) = post_rows.page(private.db, PostFilter(), viewer=SYSTEM).items
    assert (post.language, post.is_supported) == ("zh", False)
    for given in ({"language": "Chinese"}, {"weight": 0}, {"silent_after_ms": 5}):
        with pytest.raises(InputError):
            changes.change(private.db, FEED, feed.id, given, viewer=SYSTEM)
