"""Events: every change once; history, undo, audit and live updates read them.

An event is kept in two parts: the deed, which repeats (who did what, and which fields are told of it), and its values.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from app.core import paging, scope
from app.core.db import Reads, Transaction, statement
from app.core.errors import NotFound
from app.core.events.event import Event
from app.core.paging import Page
from app.core.permissions import Viewer
from app.core.storage.dictionary_codec import numbers
from app.core.storage.row_mapping import built

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

_DEED = ("actor_kind", "actor_id", "verb", "before_keys", "after_keys")
_COLUMNS = ("id", "deed_id", "noun_code", "noun_id", "at", "undoes", "details")

_TICKET_IN_SIGHT = """(noun <> 'ticket' OR noun_id IN
(SELECT id FROM ticket WHERE queue_id IN (SELECT value FROM json_each(?))))"""
_FEED_IN_SIGHT = """((noun <> 'feed' OR noun_id IN (SELECT value FROM json_each(?))) AND (noun <> 'post' OR noun_id IN
(SELECT id FROM post WHERE feed_id IN (SELECT value FROM json_each(?)))) AND (noun <> 'alert' OR noun_id IN
(SELECT id FROM alert WHERE subject_kind <> 'feed' OR CAST(subject_id AS INTEGER) IN
(SELECT value FROM json_each(?)))))"""


_OF = "SELECT * FROM happened WHERE noun_code = (SELECT id FROM noun WHERE name = ?)"

# It inserts nothing while the deed or the noun has no number yet.
_RECORD = statement(
    "INSERT INTO event (noun_id, at, undoes, details, noun_code, deed_id) SELECT ?, ?, ?, ?, noun.id, deed.id",
    "FROM noun, deed WHERE noun.name = ? AND",
    " AND ".join(column + " = ?" for column in _DEED),
    "RETURNING id",
)

QUEUE_AFTER = """json_extract(details, (SELECT '$[' || (key + json_array_length(before_keys)) || ']'
FROM json_each(after_keys) WHERE value = 'queue_id'))"""
"""The queue that an event of `happened` put its thing into, as SQL; NULL for one that put it into none."""


def _event(row: sqlite3.Row) -> Event:
    before, after = _keys(row["before_keys"]), _keys(row["after_keys"])
    values = json.loads(row["details"] or "[]")
    return built(
        Event,
        row,
        before=dict(zip(before, values, strict=False)),
        after=dict(zip(after, values[len(before) :], strict=True)),
    )


@lru_cache(maxsize=1024)
def _keys(listed: str) -> tuple[str, ...]:
    return tuple(json.loads(listed))


def record(tx: Transaction, event: Event) -> int:
    """Keep an event; returns its id."""
    done = _deed(event)
    values = (event.noun_id, event.at, event.undoes, _details(event), event.noun, *done)
    event_id = tx.value(_RECORD, values)
    if event_id is None:
        numbers(tx, "deed", _DEED, [done])
        numbers(tx, "noun", ("name",), [(event.noun,)])
        event_id = tx.value(_RECORD, values)
    return int(event_id)


def record_all(tx: Transaction, several: Sequence[Event]) -> list[int]:
    """Keep many events; their ids, which rise as ever."""
    first = tx.next_id("event")
    deeds = numbers(tx, "deed", _DEED, map(_deed, several))
    nouns = numbers(tx, "noun", ("name",), [(one.noun,) for one in several])
    rows = [
        (first + at, deeds[_deed(one)], nouns[(one.noun,)], one.noun_id, one.at, one.undoes, _details(one))
        for at, one in enumerate(several)
    ]
    tx.insert_rows("event", _COLUMNS, rows)
    return [first + at for at in range(len(several))]


def _deed(event: Event) -> tuple[str, ...]:
    return event.actor_kind, event.actor_id, event.verb, _listed(tuple(event.before)), _listed(tuple(event.after))


@lru_cache(maxsize=1024)
def _listed(keys: tuple[str, ...]) -> str:
    return json.dumps([str(key) for key in keys], ensure_ascii=False, separators=(",", ":"))


def _details(event: Event) -> list[Any] | None:
    """The values before, then those after, in the order of the deed's keys."""
    return [*event.before.values(), *event.after.values()] or None


def forget(tx: Transaction, noun: str, noun_id: int, *, keys: Collection[str]) -> None:
    """Take what the history of one thing says under these keys out of it."""
    for event in of(tx, noun, noun_id):
        kept = replace(event, before=_without(event.before, keys), after=_without(event.after, keys))
        if kept != event:
            number = numbers(tx, "deed", _DEED, [_deed(kept)])[_deed(kept)]
            tx.execute("UPDATE event SET deed_id = ?, details = ? WHERE id = ?", (number, _details(kept), event.id))


def _without(mapping: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def get(db: Reads, event_id: int) -> Event:
    """The event with this id; raises NotFound."""
    row = db.row("SELECT * FROM happened WHERE id = ?", (event_id,))
    if row is None:
        raise NotFound(noun="event", id=event_id)
    return _event(row)


def of(db: Reads, noun: str, noun_id: int) -> tuple[Event, ...]:
    """The history of one thing, oldest first."""
    rows = db.rows(statement(_OF, "AND noun_id = ? ORDER BY id"), (noun, noun_id))
    return tuple(_event(row) for row in rows)


def by_ids(db: Reads, event_ids: Iterable[int]) -> dict[int, Event]:
    """Events by id."""
    rows = db.rows("SELECT * FROM happened WHERE id IN (SELECT value FROM json_each(?))", (scope.listed(event_ids),))
    return {row["id"]: _event(row) for row in rows}


def later(db: Reads, noun: str, noun_ids: Iterable[int], *, than: int) -> dict[int, tuple[Event, ...]]:
    """The events of several things after an event, by thing, oldest first."""
    rows = db.rows(
        statement(_OF, "AND noun_id IN (SELECT value FROM json_each(?)) AND id > ? ORDER BY id"),
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
    conditions: list[scope.Condition] = [("id > ?", [event_id]), *_sight(viewer)]
    where, params = scope.joined(conditions)
    rows = db.rows(statement("SELECT * FROM happened", where, "ORDER BY id LIMIT ?"), [*params, limit])
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
        conditions.append(("noun_code = (SELECT id FROM noun WHERE name = ?)", [noun]))
    if actor_kind is not None:
        conditions.append(("actor_kind = ?", [actor_kind]))
    return paging.newest(db, table="happened", conditions=conditions, make=_event, limit=limit, after=after)
