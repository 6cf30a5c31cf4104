"""Feeds: the sources of posts, who sees each of them, and how each is doing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.durations import DAY_MS, MINUTE_MS
from app.core.errors import FieldError, InputError, NotFound
from app.core.nouns import Fields, Noun
from app.core.outgoing import urls
from app.core.permissions import Team, Viewer
from app.core.services import Services
from app.market.domain.market import Feed, FeedKind
from app.market.store import feeds
from app.people.store import teams

LEAST_INTERVAL_MS, MOST_INTERVAL_MS = 5 * MINUTE_MS, 7 * DAY_MS
MOST_WEIGHT = 100.0


class FeedNoun(Noun[Feed]):
    """Feeds; posts of one with a team are for that team, others for everybody. None is removed."""

    name = "feed"
    permission = "feeds:write"
    fields = frozenset(
        {
            "slug", "name", "kind", "url", "zone", "weight", "licence_note", "team_id", "is_active", "language",
            "silent_after_ms", "interval_ms",
        }
    )  # fmt: skip
    needed = ("slug", "name")
    unique = "slug"
    titles = ("slug", "kind", "url")

    def make(self, row: sqlite3.Row) -> Feed:
        """A feed out of its row."""
        return feeds.as_feed(row)

    def see(self, db: Reads, row: Feed, viewer: Viewer) -> None:
        """Raise NotFound for a feed out of the viewer's sight."""
        if not viewer.sees_feed(row.id):
            raise NotFound(noun="feed", id=row.id)

    def check(self, tx: Transaction, given: Fields, was: Feed | None) -> Fields:
        """The fields of a feed; raises InputError. An address that stands already is no reason to refuse a change."""
        known = Feed(id=0, slug="", name="", kind="push") if was is None else was
        kind, url = given.get("kind", known.kind), str(given.get("url", known.url) or "")
        if kind not in get_args(FeedKind):
            raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
        found = dict(given)
        is_new_address = was is None or (kind, url) != (was.kind, was.url or "")
        if is_new_address and (kind == "rss" or url):
            found["url"] = urls.check(url)
        faults = list(_faults(found))
        if faults:
            raise InputError(fields=faults)
        return found

    def permit(self, tx: Transaction, values: Fields, viewer: Viewer) -> None:
        """Raise InputError `unknown_team` for a team that the viewer may not give a feed to."""
        team_id = values.get("team_id")
        if team_id is not None and team_id not in {team.id for team in teams_of(tx, viewer=viewer)}:
            raise InputError("unknown_team", fields=[FieldError(pointer="/team", code="unknown_team")])

    def insert(self, tx: Transaction, columns: Fields) -> int:
        """Add a feed; an RSS feed is fetched at the next tick."""
        due = {"next_fetch_at": clock.now_ms()} if columns.get("kind") == "rss" else {}
        return super().insert(tx, {**columns, **due})

    def consequences(self, tx: Transaction, was: Feed, wanted: Fields, *, is_undo: bool) -> Fields:
        """The next fetch, which is due at once; what is known of an address does not hold for another."""
        kind, url = wanted.get("kind", was.kind), wanted.get("url", was.url)
        is_due = kind == "rss" and wanted.get("is_active", was.is_active)
        columns: Fields = {"next_fetch_at": clock.now_ms() if is_due else None}
        if (kind, url) == (was.kind, was.url):
            return columns
        return {**columns, "etag": None, "last_modified": None, "last_error": None, "n_failures": 0}


FEED = FeedNoun()


def teams_of(db: Reads, *, viewer: Viewer) -> tuple[Team, ...]:
    """The teams that a viewer may give a feed to: their own, or all for who sees every feed."""
    if viewer.feed_ids is None:
        return teams.every(db)
    return () if viewer.user_id is None else teams.of_user(db, viewer.user_id)


def in_sight(services: Services, *, viewer: Viewer) -> tuple[Feed, ...]:
    """Return the feeds in the viewer's sight, by name."""
    return feeds.every(services.db, viewer=viewer)


def of_slug(services: Services, slug: str, *, viewer: Viewer) -> Feed:
    """Return the feed with this slug; raises NotFound for one out of sight."""
    found = feeds.find_by_slug(services.db, slug)
    if found is None or not viewer.sees_feed(found.id):
        raise NotFound(noun="feed", id=slug)
    return found


def slugs(services: Services) -> dict[int, str]:
    """Return the slugs of all feeds by id, for posts that are in sight already."""
    return {feed.id: feed.slug for feed in feeds.every(services.db)}


def team_names(services: Services) -> dict[int, str]:
    """Return the names of all teams by id."""
    return {team.id: team.name for team in teams.every(services.db)}


def _faults(given: Fields) -> Iterator[FieldError]:
    if given.get("language") and not re.fullmatch(r"[a-z]{2}", str(given["language"])):
        yield FieldError(pointer="/language", code="unknown_value")
    if "zone" in given and not _is_zone(str(given["zone"])):
        yield FieldError(pointer="/zone", code="unknown_zone", params=(("value", str(given["zone"])),))
    if given.get("silent_after_ms") is not None and given["silent_after_ms"] < MINUTE_MS:
        yield FieldError(pointer="/silent_after_ms", code="too_small")
    interval_ms = given.get("interval_ms")
    if interval_ms is not None and not LEAST_INTERVAL_MS <= interval_ms <= MOST_INTERVAL_MS:
        yield FieldError(pointer="/interval_ms", code="too_small" if interval_ms < LEAST_INTERVAL_MS else "too_large")
    if not 0 < float(given.get("weight", 1.0)) <= MOST_WEIGHT:
        yield FieldError(pointer="/weight", code="unknown_value")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
