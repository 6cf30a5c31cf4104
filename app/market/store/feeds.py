"""Feeds: where posts come from, and when each is fetched next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from app.core import scope
from app.core.db import Reads, Transaction, assignments, statement
from app.core.leases import lease_rows
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.market.domain.market import Feed


def as_feed(row: sqlite3.Row) -> Feed:
    """Return a feed out of its row."""
    return built(Feed, row, flags=("is_active", "is_daily"))


def get(db: Reads, feed_id: int) -> Feed:
    """Return the feed with this id, whoever asks; raises NotFound."""
    return as_feed(db.got("feed", feed_id))


def find_by_slug(db: Reads, slug: str) -> Feed | None:
    """Return the feed with this slug, if there is one."""
    row = db.row("SELECT * FROM feed WHERE slug = ?", (slug,))
    return None if row is None else as_feed(row)


def every(db: Reads, *, viewer: Viewer | None = None) -> tuple[Feed, ...]:
    """Return the feeds in the viewer's scope, by name."""
    where, params = scope.joined([scope.of_feeds(viewer, column="id")])
    return tuple(as_feed(row) for row in db.rows(statement("SELECT * FROM feed", where, "ORDER BY name, id"), params))


def are_all_seen(db: Reads, *, viewer: Viewer | None) -> bool:
    """Return True where every feed is in the viewer's scope."""
    seen = None if viewer is None else viewer.feed_ids
    return seen is None or all(row["id"] in seen for row in db.rows("SELECT id FROM feed"))


def visible_ids(db: Reads, team_ids: Iterable[int]) -> frozenset[int]:
    """Return the ids of the feeds of these teams, and of those of no team."""
    rows = db.rows(
        "SELECT id FROM feed WHERE team_id IS NULL OR team_id IN (SELECT value FROM json_each(?))",
        (scope.listed(team_ids),),
    )
    return frozenset(row["id"] for row in rows)


def names_by_team(db: Reads) -> dict[int, list[str]]:
    """The names of the feeds that each team owns, by the id of the team."""
    found: dict[int, list[str]] = {}
    for feed in every(db):
        if feed.team_id is not None:
            found.setdefault(feed.team_id, []).append(feed.name)
    return found


def due(db: Reads, *, now: int) -> tuple[Feed, ...]:
    """Return active feeds whose time to be fetched has come."""
    rows = db.rows(
        "SELECT * FROM feed WHERE next_fetch_at IS NOT NULL AND next_fetch_at <= ? AND is_active = 1 "
        "ORDER BY next_fetch_at LIMIT 50",
        (now,),
    )
    return tuple(as_feed(row) for row in rows)


def note(tx: Transaction, feed_id: int, *, columns: Mapping[str, str | int | None]) -> None:
    """Write down how a feed is doing; that is no edit, so the version stays."""
    tx.execute(statement("UPDATE feed SET", assignments(columns), "WHERE id = ?"), (*columns.values(), feed_id))


def note_posts(tx: Transaction, feed_id: int, *, last_post_at: int, at: int, is_daily: bool) -> None:
    """Write down that a feed brought posts at a time, the newest with this event time."""
    tx.execute(
        "UPDATE feed SET last_post_at = max(coalesce(last_post_at, 0), ?), last_received_at = ?, is_daily = ? "
        "WHERE id = ?",
        (last_post_at, at, is_daily, feed_id),
    )


def claim(tx: Transaction, feed_id: int, *, now: int, until: int) -> bool:
    """Take a due feed until a time, after which another may; returns True where this caller got it."""
    n_claimed = tx.execute(
        "UPDATE feed SET next_fetch_at = ? WHERE id = ? AND next_fetch_at <= ?", (until, feed_id, now)
    )
    return lease_rows.hold_claimed(tx, "feed", feed_id, until=until, n_claimed=n_claimed)
