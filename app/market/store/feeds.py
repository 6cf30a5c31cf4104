"""Feeds: where posts come from, and when each is fetched next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from app.core import scope
from app.core.db import Reads, Transaction, assignments, statement
from app.core.errors import Conflict, NotFound
from app.core.leases import lease_rows
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.market.domain.market import Feed


def _feed(row: sqlite3.Row) -> Feed:
    return built(Feed, row, flags=("is_active", "is_daily"))


def get(db: Reads, feed_id: int, *, viewer: Viewer | None = None) -> Feed:
    """The feed with this id; raises NotFound, out of the viewer's scope too."""
    if viewer is not None and not viewer.sees_feed(feed_id):
        raise NotFound(noun="feed", id=feed_id)
    return _feed(db.got("feed", feed_id))


def find_by_slug(db: Reads, slug: str) -> Feed | None:
    """The feed of this slug."""
    row = db.row("SELECT * FROM feed WHERE slug = ?", (slug,))
    return None if row is None else _feed(row)


def every(db: Reads, *, viewer: Viewer | None = None) -> tuple[Feed, ...]:
    """Feeds by name; those in the viewer's scope."""
    where, params = scope.joined([scope.of_feeds(viewer, column="id")])
    return tuple(_feed(row) for row in db.rows(statement("SELECT * FROM feed", where, "ORDER BY name, id"), params))


def are_all_seen(db: Reads, *, viewer: Viewer | None) -> bool:
    """Whether no feed is out of the viewer's scope."""
    seen = None if viewer is None else viewer.feed_ids
    return seen is None or all(row["id"] in seen for row in db.rows("SELECT id FROM feed"))


def visible_ids(db: Reads, team_ids: Iterable[int]) -> frozenset[int]:
    """The feeds of these teams, and those of no team."""
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
    """Active feeds whose time to be fetched has come."""
    rows = db.rows(
        "SELECT * FROM feed WHERE next_fetch_at IS NOT NULL AND next_fetch_at <= ? AND is_active = 1 "
        "ORDER BY next_fetch_at LIMIT 50",
        (now,),
    )
    return tuple(_feed(row) for row in rows)


def insert(tx: Transaction, *, values: Mapping[str, Any]) -> int:
    """Add a feed with these columns; raises Conflict when the slug is taken."""
    try:
        return tx.insert("feed", values)
    except sqlite3.IntegrityError as error:
        raise Conflict("slug_taken", noun="feed", slug=str(values.get("slug", ""))) from error


def update(tx: Transaction, feed_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Feed:
    """Change a feed; raises NotFound, Stale, or Conflict when the slug is taken."""
    try:
        tx.change("feed", feed_id, changes=changes, version=version)
    except sqlite3.IntegrityError as error:
        raise Conflict("slug_taken", noun="feed", slug=str(changes.get("slug", ""))) from error
    return get(tx, feed_id)


def note(tx: Transaction, feed_id: int, *, changes: Mapping[str, Any]) -> None:
    """Write down how a feed is doing; that is no edit, so the version stays."""
    tx.execute(statement("UPDATE feed SET", assignments(changes), "WHERE id = ?"), (*changes.values(), feed_id))


def claim(tx: Transaction, feed_id: int, *, now: int, until: int) -> bool:
    """Take a due feed until a time, after which another may; whether this caller got it."""
    n_claimed = tx.execute(
        "UPDATE feed SET next_fetch_at = ? WHERE id = ? AND next_fetch_at <= ?", (until, feed_id, now)
    )
    return lease_rows.hold_claimed(tx, "feed", feed_id, until=until, n_claimed=n_claimed)
