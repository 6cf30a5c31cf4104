"""Queues, and the queue of each intent."""

from __future__ import annotations

import sqlite3
from typing import Any

from app.core import changes
from app.core.db import Database, Reads, Transaction
from app.core.errors import InputError, NotFound
from app.core.events import history
from app.core.events.event import Event
from app.core.nouns import Changed, Inverse, Noun
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.desk.domain.ticket import Queue, RouteRule
from app.desk.store import queues


class QueueNoun(Noun[Queue]):
    """Queues; none is removed."""

    name = "queue"
    permission = "settings:write"
    fields = frozenset({"slug", "title", "intent_task", "team_id", "is_redacting", "sla_policy_id"})
    unique = "slug"
    titles = ("slug",)

    def make(self, row: sqlite3.Row) -> Queue:
        """A queue out of its row."""
        return queues.as_queue(row)

    def see(self, db: Reads, row: Queue, viewer: Viewer) -> None:
        """Raise NotFound for a queue out of the viewer's sight."""
        if not viewer.sees_queue(row.id):
            raise NotFound(noun="queue", id=row.id)

    def is_in_the_way(self, event: Event, later: Event) -> bool:
        """Return True when a later event changed the same fields, or the trust in the same intent."""
        if event.verb == "trust_set":
            return all(later.after.get(name) == event.after[name] for name in ("task", "intent"))
        return super().is_in_the_way(event, later)


def add_queue(
    services: Services, *, viewer: Viewer, slug: str, title: str, intent_task: str | None = None, **others: Any
) -> Queue:
    """Add a queue; without a team everyone sees it. Raises InputError, Conflict when the slug is taken."""
    task = intent_task or services.policy.intent_task
    given = {"slug": slug, "title": title, "intent_task": task, **others}
    return changes.add(services.db, QUEUE, given, viewer=viewer).row


def first_queue(tx: Transaction, services: Services) -> Queue:
    """The oldest queue; where there is none, an inbox is made."""
    known = queues.every(tx)
    if known:
        return min(known, key=lambda queue: queue.id)
    given = {"slug": "inbox", "title": "Inbox", "intent_task": services.policy.intent_task}
    return changes.add(tx, QUEUE, given, viewer=SYSTEM).row


def titles_by_team(db: Reads) -> dict[int, list[str]]:
    """The titles of the queues that each team owns."""
    found: dict[int, list[str]] = {}
    for queue in queues.every(db):
        if queue.team_id is not None:
            found.setdefault(queue.team_id, []).append(queue.title)
    return found


def set_route_rule(
    services: Services,
    *,
    viewer: Viewer,
    task: str,
    intent: str,
    queue_id: int | None,
    urgency: int = 10,
    is_trusted: bool = False,
) -> RouteRule:
    """Send an intent to a queue (None: it stays where it arrives), with its base urgency (0–40).

    A new one is in the shadow unless `is_trusted`: the model says where it would go, and moves nothing.
    """
    with services.db.transaction() as tx:
        if queue_id is not None:
            queues.get(tx, queue_id)
        was = queues.route_rule(tx, task=task, intent=intent)
        queues.set_route_rule(tx, task=task, intent=intent, queue_id=queue_id, urgency=urgency, is_trusted=is_trusted)
        before = {} if was is None else {"queue_id": was.queue_id, "urgency": was.urgency}
        after = {"task": task, "intent": intent, "queue_id": queue_id, "urgency": urgency}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="route_set",
            noun="queue",
            noun_id=queue_id or 0,
            before=before,
            after=after,
        )
        made = queues.route_rule(tx, task=task, intent=intent)
        assert made is not None
        return made


def set_trust(
    db: Database | Transaction,
    *,
    viewer: Viewer,
    task: str,
    intent: str,
    is_trusted: bool,
    least_probability: float = 0.0,
    undoes: int | None = None,
) -> Changed[Queue]:
    """Let the model route an intent by itself where it is at least so sure, or put it back into the shadow.

    Raises NotFound for an intent that has no queue to go to; returns that queue.
    """
    if not 0 <= least_probability <= 1:
        raise InputError("unknown_value", field="least", value=least_probability)
    with db.transaction() as tx:
        was = queues.route_rule(tx, task=task, intent=intent)
        if was is None or was.queue_id is None:
            raise NotFound(noun="route", id=f"{task}/{intent}")
        queues.trust(tx, was.id, is_trusted=is_trusted, least_probability=least_probability)
        event = history.record(
            tx,
            actor=history.of(viewer),
            verb="trust_set",
            noun="queue",
            noun_id=was.queue_id,
            before={"is_trusted": was.is_trusted, "least_probability": was.least_probability},
            after={
                "task": task,
                "intent": intent,
                "is_trusted": is_trusted,
                "least_probability": least_probability,
            },
            undoes=undoes,
        )
        return Changed(row=queues.get(tx, was.queue_id), event=event)


def _undo_trust(tx: Transaction, event: Event, viewer: Viewer) -> Changed[Queue]:
    task, intent = event.after["task"], event.after["intent"]
    return set_trust(tx, viewer=viewer, task=task, intent=intent, undoes=event.id, **event.before)


QUEUE = QueueNoun({"trust_set": Inverse(undo=_undo_trust)})
