"""Writing history: one event for every change, and the notifications that go out with it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.core import clock
from app.core.db import Transaction
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.notify.decide.receiver_payloads import wants
from app.notify.decide.sentences import event_body
from app.notify.store import notifications, receivers

Actor = tuple[str, str]

# What webhooks tell of; alerts are told by their own flow, with the figures that explain them.
TOLD = frozenset({"ticket", "model", "job"})
TOLD_OF_ALERTS = frozenset({"acknowledged"})


def of(viewer: Viewer) -> Actor:
    """Who a viewer is in the history."""
    return viewer.actor_kind, viewer.actor_id


def record(
    tx: Transaction,
    *,
    actor: Actor,
    verb: str,
    noun: str,
    noun_id: int,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    undoes: int | None = None,
    data: Mapping[str, Any] | None = None,
    is_told: bool = True,
) -> Event:
    """Keep one event and, unless nobody `is_told`, queue the webhooks that want it; `data` is what they are told."""
    event = Event(
        actor_kind=actor[0],
        actor_id=actor[1],
        verb=verb,
        noun=noun,
        noun_id=noun_id,
        before=before or {},
        after=after or {},
        at=clock.now_ms(),
        undoes=undoes,
    )
    event_id = event_log.record(tx, event)
    if is_told and (noun in TOLD or (noun == "alert" and verb in TOLD_OF_ALERTS)):
        _tell(tx, event, event_id=event_id, data={noun: {"id": noun_id, **(data or {}), **event.after}})
    return replace(event, id=event_id)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One of many events that one actor makes at one time; `data` is what webhooks are told of the thing.

    `undoes` is the event that it takes back.
    """

    verb: str
    noun_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    data: Mapping[str, Any]
    undoes: int | None = None


def record_each(tx: Transaction, several: Sequence[Told], *, actor: Actor, noun: str) -> list[int]:
    """Keep many events of things that webhooks hear of; their ids."""
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
    ids = event_log.record_all(tx, made)
    if receivers.every(tx):
        for event_id, event, one in zip(ids, made, several, strict=True):
            _tell(tx, event, event_id=event_id, data={noun: {"id": one.noun_id, **one.data, **one.after}})
    return ids


def _tell(tx: Transaction, event: Event, *, event_id: int, data: Mapping[str, Any]) -> None:
    for receiver in receivers.every(tx):
        if wants(receiver, noun=event.noun, verb=event.verb):
            notifications.insert(
                tx,
                receiver_id=receiver.id,
                verb=event.verb,
                noun=event.noun,
                noun_id=event.noun_id,
                dedup_key=f"msg_{event_id}_{receiver.id}",
                body=event_body(event, data=data),
                at=event.at,
            )
