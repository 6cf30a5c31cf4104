"""Events: every change once; history, undo, audit and live updates read them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from app.domain.event import Event
from app.domain.people import Viewer
from app.store import pages, scope
from app.store.db import Reads, Transaction, statement
from app.store.pages import Page
from app.store.rows import built

# Which permission shows events of which noun; a noun that is not here is for administrators.
_READS = {
    "ticket": "tickets:read",
    "post": "posts:read",
    "feed": "feeds:read",
    "alert": "alerts:read",
    "silence": "alerts:read",
    "rule": "rules:read",
    "entity": "market:read",
    "macro": "macros:read",
    "article": "articles:read",
    "model": "models:read",
    "job": "jobs:read",
}

_COLUMNS = ("id", "actor_kind", "actor_id", "verb", "noun", "noun_id", "before", "after", "at", "undoes")

_TICKET_IN_SIGHT = """(noun <> 'ticket' OR noun_id IN
(SELECT id FROM ticket WHERE queue_id IN (SELECT value FROM json_each(?))))"""
_FEED_IN_SIGHT = """((noun <> 'feed' OR noun_id IN (SELECT value FROM json_each(?))) AND (noun <> 'post' OR noun_id IN
(SELECT id FROM post WHERE feed_id IN (SELECT value FROM json_each(?)))) AND (noun <> 'alert' OR noun_id IN
(SELECT id FROM alert WHERE subject_kind <> 'feed' OR CAST(subject_id AS INTEGER) IN
(SELECT value FROM json_each(?)))))"""


def _event(row: sqlite3.Row) -> Event:
    return built(Event, row, mappings=("before", "after"))


def record(tx: Transaction, event: Event) -> int:
    """Keep an event; returns its id."""
    return tx.insert(
        "event",
        {
            "actor_kind": event.actor_kind,
            "actor_id": event.actor_id,
            "verb": event.verb,
            "noun": event.noun,
            "noun_id": event.noun_id,
            "before": event.before,
            "after": event.after,
            "at": event.at,
            "undoes": event.undoes,
        },
    )


def record_all(tx: Transaction, several: Sequence[Event]) -> list[int]:
    """Keep many events; their ids, which rise as ever."""
    first = tx.next_id("event")
    rows = [
        (
            first + at,
            one.actor_kind,
            one.actor_id,
            one.verb,
            one.noun,
            one.noun_id,
            one.before,
            one.after,
            one.at,
            one.undoes,
        )
        for at, one in enumerate(several)
    ]
    tx.insert_rows("event", _COLUMNS, rows)
    return [first + at for at in range(len(several))]


def get(db: Reads, event_id: int) -> Event:
    """The event with this id; raises NotFound."""
    return _event(db.got("event", event_id))


def of(db: Reads, noun: str, noun_id: int) -> tuple[Event, ...]:
    """The history of one thing, oldest first."""
    rows = db.rows("SELECT * FROM event WHERE noun = ? AND noun_id = ? ORDER BY id", (noun, noun_id))
    return tuple(_event(row) for row in rows)


def by_ids(db: Reads, event_ids: Iterable[int]) -> dict[int, Event]:
    """Events by id."""
    rows = db.rows("SELECT * FROM event WHERE id IN (SELECT value FROM json_each(?))", (scope.listed(event_ids),))
    return {row["id"]: _event(row) for row in rows}


def later(db: Reads, noun: str, noun_ids: Iterable[int], *, than: int) -> dict[int, tuple[Event, ...]]:
    """What happened to several things after an event, by thing, oldest first."""
    rows = db.rows(
        "SELECT * FROM event WHERE noun = ? AND noun_id IN (SELECT value FROM json_each(?)) AND id > ? ORDER BY id",
        (noun, scope.listed(noun_ids), than),
    )
    found: dict[int, tuple[Event, ...]] = {}
    for row in rows:
        found[row["noun_id"]] = (*found.get(row["noun_id"], ()), _event(row))
    return found


def undone_by(db: Reads, event_id: int) -> int | None:
    """The event that took this one back, if one did."""
    found: int | None = db.value("SELECT id FROM event WHERE undoes = ?", (event_id,))
    return found


def last_id(db: Reads) -> int:
    """The newest event's id; 0 when nothing has happened yet."""
    return int(db.value("SELECT coalesce(max(id), 0) FROM event"))


def first_id(db: Reads) -> int:
    """The oldest event's id; 0 when nothing has happened yet."""
    return int(db.value("SELECT coalesce(min(id), 0) FROM event"))


def after(db: Reads, event_id: int, *, limit: int = 200, viewer: Viewer | None = None) -> tuple[Event, ...]:
    """Events later than this one, oldest first, that the viewer may see (None: all)."""
    conditions: list[scope.Condition] = [("event.id > ?", [event_id]), *_sight(viewer)]
    where, params = scope.joined(conditions)
    rows = db.rows(statement("SELECT * FROM event", where, "ORDER BY id LIMIT ?"), [*params, limit])
    return tuple(_event(row) for row in rows)


def _sight(viewer: Viewer | None) -> list[scope.Condition]:
    if viewer is None or viewer.may("*:*"):
        return []
    nouns = [noun for noun, permission in _READS.items() if viewer.may(permission)]
    seen: list[scope.Condition] = [("noun IN (SELECT value FROM json_each(?))", [nouns])]
    if viewer.queue_ids is not None:
        # A ticket's events are shown where the ticket is now.
        seen.append((_TICKET_IN_SIGHT, [scope.listed(viewer.queue_ids)]))
    if viewer.feed_ids is not None:
        feeds = scope.listed(viewer.feed_ids)
        seen.append((_FEED_IN_SIGHT, [feeds, feeds, feeds]))
    return seen


def page(
    db: Reads,
    *,
    limit: int = 50,
    after: str | None = None,
    noun: str | None = None,
    actor_kind: str | None = None,
) -> Page[Event]:
    """The audit trail, newest first."""
    conditions: list[scope.Condition] = []
    if noun is not None:
        conditions.append(("noun = ?", [noun]))
    if actor_kind is not None:
        conditions.append(("actor_kind = ?", [actor_kind]))
    return pages.newest(db, table="event", conditions=conditions, make=_event, limit=limit, after=after)
