"""Feed lag: silence of feeds told apart from calm, and dates without times from moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from app.market.domain.market import Feed
from app.market.domain.series import Window

NO_DATA_SHARE = 0.5
"""From this part of the usual stories on, alerts hold their state: what is missing would look like calm."""

DEAD_FAILURES = 3
LATE_FETCHES = 6

DAILY_SHARE = 0.5
"""From this part of the usual stories on, what is said has a date and no time, and nothing is judged within a day."""


def daily_share(feeds: Iterable[Feed], *, usual: Mapping[str, Window]) -> float:
    """Return the part of the usual stories (0–1) whose feeds give a date and no time; `usual` by feed id."""
    return _share(feeds, usual=usual, of=lambda feed: feed.is_daily)


def is_silent(feed: Feed, *, now: int, fetch_ms: int) -> bool:
    """Return True for a feed that is in use and brings nothing although it should.

    A fetched feed is silent after three failures in a row, or when nobody has fetched it for six intervals; any feed
    when nothing came for longer than its own `silent_after_ms`.
    """
    if not feed.is_active:
        return False
    if feed.n_failures >= DEAD_FAILURES:
        return True
    if feed.kind == "rss" and feed.last_fetched_at is not None and now - feed.last_fetched_at > LATE_FETCHES * fetch_ms:
        return True
    if feed.silent_after_ms is None or feed.last_received_at is None:
        return False
    return now - feed.last_received_at > feed.silent_after_ms


def silent_share(feeds: Iterable[Feed], *, usual: Mapping[str, Window], now: int, fetch_ms: int) -> float:
    """Return the part of the usual stories (0–1) that feeds brought which are silent now; `usual` by feed id."""
    return _share(feeds, usual=usual, of=lambda feed: is_silent(feed, now=now, fetch_ms=fetch_ms))


def _share(feeds: Iterable[Feed], *, usual: Mapping[str, Window], of: Callable[[Feed], bool]) -> float:
    counts = {feed: usual[str(feed.id)].n_stories for feed in feeds if str(feed.id) in usual and feed.is_active}
    total = sum(counts.values())
    return sum(count for feed, count in counts.items() if of(feed)) / total if total else 0.0
