"""Feeds: kept, fetched when their time comes, and put off when they fail; a dead feed is shown, not hidden."""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core import clock
from app.core.db import Reads
from app.core.durations import DAY_MS, MINUTE_MS
from app.core.errors import BellwetherError, FieldError, InputError, OutgoingError, OutgoingRefused
from app.core.events import history
from app.core.outgoing import urls
from app.core.permissions import SYSTEM, Team, Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.services import Services
from app.market.domain.market import Feed, FeedKind
from app.market.flows import ingest_posts, quarantine_posts
from app.market.flows.ingest_posts import PostResult
from app.market.sources import feed_process
from app.market.sources.fetching import Fetched
from app.market.sources.fetching import fetch as fetched_from
from app.market.store import feeds
from app.people.store import teams

LOG = logging.getLogger(__name__)
LEASE_MS = 2 * MINUTE_MS
MOST_BACKOFF = 6
LEAST_INTERVAL_MS, MOST_INTERVAL_MS = 5 * MINUTE_MS, 7 * DAY_MS
AT_ONCE = 4
MOST_WEIGHT = 100.0

_EDITABLE = frozenset(
    {
        "slug", "name", "kind", "url", "zone", "weight", "licence_note", "team_id", "is_active", "language",
        "silent_after_ms", "interval_ms",
    }
)  # fmt: skip


def add_feed(services: Services, *, viewer: Viewer, slug: str, name: str, kind: FeedKind, **fields: Any) -> Feed:
    """Add a feed; an RSS feed is fetched at the next tick. Raises Conflict when the slug is taken.

    Posts of a feed with a `team_id` are for that team; others are for everybody.
    """
    values = _checked({"slug": slug, "name": name, "kind": kind, **fields})
    if kind == "rss":
        values["next_fetch_at"] = clock.now_ms()
    with services.db.transaction() as tx:
        _check_team(tx, values, viewer=viewer)
        feed_id = feeds.insert(tx, values=values)
        after = {"slug": slug, "kind": kind, "url": values.get("url")}
        history.record(tx, actor=history.of(viewer), verb="created", noun="feed", noun_id=feed_id, after=after)
        return feeds.get(tx, feed_id)


def change_feed(
    services: Services, feed_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Feed:
    """Change a feed; a feed that is switched on again is fetched at once. Raises NotFound, Stale."""
    with services.db.transaction() as tx:
        was = feeds.get(tx, feed_id, viewer=viewer)
        wanted = _checked({"kind": was.kind, "url": was.url, **changes}, was=was)
        wanted = {key: wanted[key] for key in changes}
        if wanted.get("team_id") != was.team_id:
            _check_team(tx, wanted, viewer=viewer)
        feed = feeds.update(tx, feed_id, changes=wanted, version=version)
        feeds.note(tx, feed_id, changes=_start_over(feed, was=was))
        before = {key: getattr(was, key) for key in wanted}
        history.record(
            tx, actor=history.of(viewer), verb="edited", noun="feed", noun_id=feed_id, before=before, after=wanted
        )
        return feeds.get(tx, feed_id)


def teams_of(db: Reads, *, viewer: Viewer) -> tuple[Team, ...]:
    """The teams that a viewer may give a feed to: their own, or all for who sees every feed."""
    if viewer.feed_ids is None:
        return teams.every(db)
    return () if viewer.user_id is None else teams.of_user(db, viewer.user_id)


def _check_team(db: Reads, values: Mapping[str, Any], *, viewer: Viewer) -> None:
    team_id = values.get("team_id")
    if team_id is not None and team_id not in {team.id for team in teams_of(db, viewer=viewer)}:
        raise InputError("unknown_team", fields=[FieldError(pointer="/team", code="unknown_team")])


def _start_over(feed: Feed, *, was: Feed) -> dict[str, Any]:
    """When a changed feed is fetched next; what is known of an address does not hold for another."""
    is_due = feed.kind == "rss" and feed.is_active
    changes: dict[str, Any] = {"next_fetch_at": clock.now_ms() if is_due else None}
    if (feed.kind, feed.url) != (was.kind, was.url):
        changes |= {"etag": None, "last_modified": None, "last_error": None, "n_failures": 0}
    return changes


def _checked(values: Mapping[str, Any], *, was: Feed | None = None) -> dict[str, Any]:
    unknown = sorted(set(values) - _EDITABLE)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    if values.get("kind") not in get_args(FeedKind):
        raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
    found = {**values, **_address(values, was=was)}
    faults = _out_of_bounds(found)
    if faults:
        raise InputError(fields=faults)
    return found


def _address(values: Mapping[str, Any], *, was: Feed | None) -> dict[str, str]:
    """The checked address of a feed that needs one; what stands already is no reason to refuse another change."""
    kind, url = values["kind"], str(values.get("url") or "")
    is_as_before = was is not None and (kind, url) == (was.kind, was.url or "")
    return {"url": urls.check(url)} if not is_as_before and (kind == "rss" or url) else {}


def _out_of_bounds(values: Mapping[str, Any]) -> list[FieldError]:
    faults = []
    if values.get("language") and not re.fullmatch(r"[a-z]{2}", str(values["language"])):
        faults.append(FieldError(pointer="/language", code="unknown_value"))
    if "zone" in values and not _is_zone(str(values["zone"])):
        faults.append(FieldError(pointer="/zone", code="unknown_zone", params=(("value", str(values["zone"])),)))
    if values.get("silent_after_ms") is not None and values["silent_after_ms"] < MINUTE_MS:
        faults.append(FieldError(pointer="/silent_after_ms", code="too_small"))
    if values.get("interval_ms") is not None and not LEAST_INTERVAL_MS <= values["interval_ms"] <= MOST_INTERVAL_MS:
        code = "too_small" if values["interval_ms"] < LEAST_INTERVAL_MS else "too_large"
        faults.append(FieldError(pointer="/interval_ms", code=code))
    if not 0 < float(values.get("weight", 1.0)) <= MOST_WEIGHT:
        faults.append(FieldError(pointer="/weight", code="unknown_value"))
    return faults


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def fetch(services: Services, feed_id: int, *, viewer: Viewer) -> list[PostResult]:
    """Fetch an RSS or Atom feed now; raises OutgoingError or InputError, and notes the fault on the feed.

    A fault of this house (a busy database) is not noted: it says nothing about the feed.
    """
    feed = feeds.get(services.db, feed_id, viewer=viewer)
    if feed.kind != "rss" or not feed.url:
        raise InputError("bad_url")
    now = clock.now_ms()
    try:
        answer = fetched_from(
            feed.url,
            etag=feed.etag,
            last_modified=feed.last_modified,
            allow_private=services.policy.is_fetching_private,
        )
        with keep_in_quarantine.isolating_item():
            drafts = [] if answer.status == 304 else feed_process.drafts_of(answer.body, zone=feed.zone, now=now)
            received = ingest_posts.receive(services, feed_id, drafts, viewer=viewer)
        results = list(quarantine_posts.kept(services, feed, received, source=feed.name))
    except (OutgoingError, InputError) as error:
        _note_fault(services, feed, error=error, now=now)
        raise
    _note_success(services, feed, answer=answer, now=now)
    return results


def _note_fault(services: Services, feed: Feed, *, error: BellwetherError, now: int) -> None:
    n_failures = feed.n_failures + 1
    fault = fault_code(error)
    changes = {
        "last_error": fault,
        "n_failures": n_failures,
        "last_fetched_at": now,
        "next_fetch_at": now + _wait_ms(services, feed, error, n_failures=n_failures) if feed.is_active else None,
    }
    with services.db.transaction() as tx:
        feeds.note(tx, feed.id, changes=changes)
        if feed.n_failures == 0:
            history.record(
                tx,
                actor=history.of(SYSTEM),
                verb="fetch_failed",
                noun="feed",
                noun_id=feed.id,
                after={"reason": fault, "code": error.code},
            )


def fault_code(error: BellwetherError) -> str:
    """A fault as a feed keeps it: `http_503`, why the other side failed (`timeout`, …), or the error's own code."""
    if isinstance(error, OutgoingError) and not isinstance(error, OutgoingRefused):
        status = error.params.get("status")
        return f"http_{status}" if status else str(error.params.get("reason", error.code))
    return error.code


def _interval_ms(services: Services, feed: Feed) -> int:
    return feed.interval_ms or services.policy.fetch_minutes * MINUTE_MS


def _wait_ms(services: Services, feed: Feed, error: BellwetherError, *, n_failures: int) -> int:
    """Twice as long with every failure in a row, or for as long as the other side asks (at most a day)."""
    wait_ms: int = _interval_ms(services, feed) * 2 ** min(n_failures, MOST_BACKOFF)
    asked = str(error.params.get("retry_after", ""))
    asked_ms = int(asked[:9]) * 1000 if asked.isascii() and asked.isdigit() else 0
    return max(wait_ms, min(asked_ms, DAY_MS))


def _note_success(services: Services, feed: Feed, *, answer: Fetched, now: int) -> None:
    is_active = feed.is_active and feed.kind == "rss"
    changes = {
        "etag": answer.etag if answer.status != 304 else answer.etag or feed.etag,
        "last_modified": answer.last_modified if answer.status != 304 else answer.last_modified or feed.last_modified,
        "last_error": None,
        "n_failures": 0,
        "last_fetched_at": now,
        "next_fetch_at": now + _interval_ms(services, feed) if is_active else None,
        "url": answer.moved_to or feed.url,
    }
    with services.db.transaction() as tx:
        feeds.note(tx, feed.id, changes=changes)
        if answer.moved_to:
            history.record(
                tx,
                actor=history.of(SYSTEM),
                verb="edited",
                noun="feed",
                noun_id=feed.id,
                before={"url": feed.url},
                after={"url": answer.moved_to},
            )
        if feed.n_failures:
            history.record(tx, actor=history.of(SYSTEM), verb="fetch_recovered", noun="feed", noun_id=feed.id)


def fetch_due(services: Services, *, now: int | None = None) -> int:
    """Fetch the feeds whose time has come; how many posts they brought. A fault of one does not stop the others.

    A few are fetched at a time, so that a slow one holds up its own turn and not the round.
    """
    moment = clock.now_ms() if now is None else now
    due, counts = deque(feeds.due(services.db, now=moment)), deque[int]()
    fetchers = [
        threading.Thread(target=_fetched_in_turn, args=(services, due, counts), kwargs={"now": moment}, daemon=True)
        for _ in range(min(AT_ONCE, len(due)))
    ]
    for fetcher in fetchers:
        fetcher.start()
    for fetcher in fetchers:
        fetcher.join()
    return sum(counts)


def _fetched_in_turn(services: Services, due: deque[Feed], counts: deque[int], *, now: int) -> None:
    """Take feeds from those that are due until none is left."""
    try:
        while due:
            with suppress(IndexError):
                counts.append(_fetched_if_mine(services, due.popleft(), now=now))
    finally:
        services.db.release()


def _fetched_if_mine(services: Services, feed: Feed, *, now: int) -> int:
    try:
        with services.db.transaction() as tx:
            # The lease begins now, not with the round: slow feeds before this one have used up some time.
            is_mine = feeds.claim(tx, feed.id, now=now, until=max(now, clock.now_ms()) + LEASE_MS)
        results = fetch(services, feed.id, viewer=SYSTEM) if is_mine else []
    except BellwetherError as error:
        LOG.info("feed %s: %s", feed.slug, error.code)
    except Exception:
        LOG.exception("feed %s could not be read", feed.slug)
    else:
        return sum(result.state == "created" for result in results)
    return 0
