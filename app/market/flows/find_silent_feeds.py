"""Silent feeds: how much of the usual news does not arrive now, or arrives without a time."""

from __future__ import annotations

from collections.abc import Callable

from app.core.durations import DAY_MS, MINUTE_MS
from app.core.services import Services
from app.market.decide import feed_lag
from app.market.decide.bucketing import bucket_at
from app.market.domain.market import SubjectKind
from app.market.store import buckets, feeds

USUAL_MS = 28 * DAY_MS


def is_missing(services: Services, *, now: int) -> bool:
    """Return True where the silent feeds usually bring half of the stories or more: then alerts hold their state."""
    found = feeds.every(services.db)
    fetch_ms = services.policy.fetch_minutes * MINUTE_MS
    if not any(feed_lag.is_silent(feed, now=now, fetch_ms=fetch_ms) for feed in found):
        return False
    usual = buckets.counts(services.db, subject_kind="feed", since=bucket_at(now - USUAL_MS), until=now)
    return feed_lag.silent_share(found, usual=usual, now=now, fetch_ms=fetch_ms) >= feed_lag.NO_DATA_SHARE


def daily(services: Services, subject_kind: SubjectKind, *, now: int) -> Callable[[str], bool]:
    """Return a test of subjects: True for one whose posts have a date and no time and cannot be judged within a day."""
    found = feeds.every(services.db)
    if subject_kind == "feed" or not any(feed.is_daily for feed in found):
        return {str(feed.id) for feed in found if feed.is_daily}.__contains__
    usual = buckets.counts(services.db, subject_kind="feed", since=bucket_at(now - USUAL_MS), until=now)
    is_so = feed_lag.daily_share(found, usual=usual) >= feed_lag.DAILY_SHARE
    return lambda _: is_so


def silent_ids(services: Services, *, now: int) -> frozenset[str]:
    """Return the feeds that are silent now, as subjects name them."""
    fetch_ms = services.policy.fetch_minutes * MINUTE_MS
    return frozenset(
        str(feed.id) for feed in feeds.every(services.db) if feed_lag.is_silent(feed, now=now, fetch_ms=fetch_ms)
    )
