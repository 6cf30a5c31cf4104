"""Feeds fetched when their time comes, and put off when they fail; a dead feed is shown, not hidden."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress

from app.core import changes, clock
from app.core.durations import DAY_MS, MINUTE_MS
from app.core.errors import BellwetherError, InputError, OutgoingError, OutgoingRefused
from app.core.events import history
from app.core.permissions import SYSTEM, Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.services import Services
from app.market.domain.market import Feed, PostResult
from app.market.flows import ingest_posts, quarantine_posts
from app.market.flows.keep_feeds import FEED
from app.market.sources import feed_download, feed_process
from app.market.sources.feed_download import Fetched
from app.market.store import feeds

LOG = logging.getLogger(__name__)
LEASE_MS = 2 * MINUTE_MS
MOST_BACKOFF = 6
AT_ONCE = 4


def fetch(services: Services, feed_id: int, *, viewer: Viewer) -> list[PostResult]:
    """Fetch an RSS or Atom feed now; raises OutgoingError or InputError, and notes the fault on the feed.

    A fault of this installation (a busy database) is not noted: it says nothing about the feed.
    """
    feed = FEED.get(services.db, feed_id, viewer=viewer)
    if feed.kind != "rss" or not feed.url:
        raise InputError("bad_url")
    now = clock.now_ms()
    try:
        answer = feed_download.fetch(
            feed.url,
            etag=feed.etag,
            last_modified=feed.last_modified,
            allow_private=services.policy.is_fetching_private,
        )
        with keep_in_quarantine.isolating_item():
            drafts = [] if answer.status == 304 else feed_process.drafts_of(answer.body, zone=feed.zone, now=now)
            received = ingest_posts.receive(services, feed_id, drafts, viewer=viewer)
        results = list(quarantine_posts.keep_failed(services, feed, received, source=feed.name))
    except (OutgoingError, InputError) as error:
        _note_fault(services, feed, error=error, now=now)
        raise
    _note_success(services, feed, answer=answer, now=now)
    return results


def _note_fault(services: Services, feed: Feed, *, error: BellwetherError, now: int) -> None:
    fault, n_failures = fault_code(error), feed.n_failures + 1
    wait_ms = _wait_ms(services, feed, error, n_failures=n_failures)
    columns: dict[str, str | int | None] = {
        "last_error": fault,
        "n_failures": n_failures,
        "last_fetched_at": now,
        "next_fetch_at": now + wait_ms if feed.is_active else None,
    }
    with services.db.transaction() as tx:
        feeds.note(tx, feed.id, columns=columns)
        if feed.n_failures == 0:
            after = {"reason": fault, "code": error.code}
            actor = history.of(SYSTEM)
            history.record(tx, actor=actor, verb="fetch_failed", noun="feed", noun_id=feed.id, after=after)


def fault_code(error: BellwetherError) -> str:
    """The fault as a feed keeps it: `http_503`, why the other side failed (`timeout`, …), or the error's own code."""
    if isinstance(error, OutgoingError) and not isinstance(error, OutgoingRefused):
        status = error.params.get("status")
        return f"http_{status}" if status else str(error.params.get("reason", error.code))
    return error.code


def _interval_ms(services: Services, feed: Feed) -> int:
    return feed.interval_ms or services.policy.fetch_minutes * MINUTE_MS


def _wait_ms(services: Services, feed: Feed, error: BellwetherError, *, n_failures: int) -> int:
    """The interval, doubled with every failure in a row, or as long as the other side asks (at most a day)."""
    wait_ms: int = _interval_ms(services, feed) * 2 ** min(n_failures, MOST_BACKOFF)
    asked = str(error.params.get("retry_after", ""))
    asked_ms = int(asked[:9]) * 1000 if asked.isascii() and asked.isdigit() else 0
    return max(wait_ms, min(asked_ms, DAY_MS))


def _note_success(services: Services, feed: Feed, *, answer: Fetched, now: int) -> None:
    columns = {
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "last_error": None,
        "n_failures": 0,
        "last_fetched_at": now,
        "next_fetch_at": now + _interval_ms(services, feed) if feed.is_active else None,
    }
    with services.db.transaction() as tx:
        if answer.moved_to:
            changes.change(tx, FEED, feed.id, {"url": answer.moved_to}, viewer=SYSTEM)
        feeds.note(tx, feed.id, columns=columns)
        if feed.n_failures:
            history.record(tx, actor=history.of(SYSTEM), verb="fetch_recovered", noun="feed", noun_id=feed.id)


def fetch_due(services: Services, *, now: int | None = None) -> int:
    """Fetch the feeds whose time has come; returns how many posts they brought. A fault of one stops no other.

    A few are fetched at a time, so that a slow one holds up its own turn and not the round.
    """
    moment = clock.now_ms() if now is None else now
    due, counts = deque(feeds.due(services.db, now=moment)), deque[int]()
    fetchers = [
        threading.Thread(target=_fetch_in_turn, args=(services, due, counts), kwargs={"now": moment}, daemon=True)
        for _ in range(min(AT_ONCE, len(due)))
    ]
    for fetcher in fetchers:
        fetcher.start()
    for fetcher in fetchers:
        fetcher.join()
    return sum(counts)


def _fetch_in_turn(services: Services, due: deque[Feed], counts: deque[int], *, now: int) -> None:
    """Fetch feeds out of those that are due until none is left."""
    try:
        while due:
            with suppress(IndexError):
                counts.append(_fetch_claimed(services, due.popleft(), now=now))
    finally:
        services.db.release()


def _fetch_claimed(services: Services, feed: Feed, *, now: int) -> int:
    """Fetch a feed unless another process has claimed it; returns how many posts it brought, 0 after a fault."""
    try:
        with services.db.transaction() as tx:
            # The lease begins now, not with the round: slow feeds before this one have used up some time.
            is_claimed = feeds.claim(tx, feed.id, now=now, until=max(now, clock.now_ms()) + LEASE_MS)
        results = fetch(services, feed.id, viewer=SYSTEM) if is_claimed else []
    except BellwetherError as error:
        LOG.info("feed %s: %s", feed.slug, error.code)
    except Exception:
        LOG.exception("feed %s could not be read", feed.slug)
    else:
        return sum(result.state == "created" for result in results)
    return 0
