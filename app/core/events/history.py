"""Writing history: one event for each change; subscribers write what follows from it in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.core import clock
from app.core.db import Transaction
from app.core.events import event_log
from app.core.events.event import Event, Fields
from app.core.permissions import Viewer
from app.core.registry import Registry

Actor = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Announced:
    """An event as subscribers get it, with `data` about the thing that it changed."""

    event: Event
    data: Fields


SUBSCRIBERS: Registry[Callable[[Transaction, Sequence[Announced]], None]] = Registry()
"""Functions that are called with the events of a write, inside its transaction."""


def of(viewer: Viewer) -> Actor:
    """Return the actor of a viewer."""
    return viewer.actor_kind, viewer.actor_id


def record(
    tx: Transaction,
    *,
    actor: Actor,
    verb: str,
    noun: str,
    noun_id: int,
    before: Fields | None = None,
    after: Fields | None = None,
    undoes: int | None = None,
    data: Fields | None = None,
    is_announced: bool = True,
) -> Event:
    """Keep one event and, where `is_announced`, pass it to the subscribers with `data` about the thing."""
    new = NewEvent(verb=verb, noun_id=noun_id, before=before or {}, after=after or {}, data=data or {}, undoes=undoes)
    return _keep(tx, [new], actor=actor, noun=noun, is_announced=is_announced)[0]


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """One of many events that one actor makes at one time; `data` is about the thing, for webhooks.

    `undoes` is the id of the event that it undoes.
    """

    verb: str
    noun_id: int
    before: Fields
    after: Fields
    data: Fields
    undoes: int | None = None


def record_each(tx: Transaction, several: Sequence[NewEvent], *, actor: Actor, noun: str) -> list[int]:
    """Keep many events and pass them to the subscribers; returns their ids."""
    return [event.id for event in _keep(tx, several, actor=actor, noun=noun)]


def _keep(
    tx: Transaction, several: Sequence[NewEvent], *, actor: Actor, noun: str, is_announced: bool = True
) -> list[Event]:
    now = clock.now_ms()
    made = [
        Event(
            actor_kind=actor[0],
            actor_id=actor[1],
            verb=one.verb,
            noun=noun,
            noun_id=one.noun_id,
            before=one.before,
            after=one.after,
            at=now,
            undoes=one.undoes,
        )
        for one in several
    ]
    ids = [event_log.record(tx, made[0])] if len(made) == 1 else event_log.record_all(tx, made)
    kept = [replace(event, id=event_id) for event, event_id in zip(made, ids, strict=True)]
    if is_announced:
        announced = [
            Announced(event=event, data={noun: {"id": one.noun_id, **one.data, **one.after}})
            for event, one in zip(kept, several, strict=True)
        ]
        for subscriber in SUBSCRIBERS:
            subscriber(tx, announced)
    return kept
