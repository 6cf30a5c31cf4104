"""The desk's own order: queues, and where each intent goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.db import Transaction
from app.core.errors import InputError
from app.core.events import history
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.desk.domain.ticket import Queue, RouteRule
from app.desk.store import queues

_EDITABLE = frozenset({"slug", "title", "intent_task", "team_id", "is_redacting", "sla_policy_id"})


def add_queue(
    services: Services,
    *,
    viewer: Viewer,
    slug: str,
    title: str,
    intent_task: str | None = None,
    team_id: int | None = None,
    is_redacting: bool = True,
) -> Queue:
    """Add a queue; without a team everyone sees it. Raises Conflict when the slug is taken."""
    with services.db.transaction() as tx:
        queue_id = queues.insert(
            tx,
            slug=slug,
            title=title,
            intent_task=intent_task or services.policy.intent_task,
            team_id=team_id,
            is_redacting=is_redacting,
        )
        history.record(
            tx, actor=history.of(viewer), verb="created", noun="queue", noun_id=queue_id, after={"slug": slug}
        )
        return queues.get(tx, queue_id)


def change_queue(
    services: Services, queue_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Queue:
    """Change a queue; raises NotFound, Stale, or InputError for an unknown field."""
    unknown = sorted(set(changes) - _EDITABLE)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    with services.db.transaction() as tx:
        was = queues.get(tx, queue_id, viewer=viewer)
        queue = queues.update(tx, queue_id, changes=changes, version=version)
        before = {key: getattr(was, key) for key in changes}
        history.record(
            tx, actor=history.of(viewer), verb="edited", noun="queue", noun_id=queue_id, before=before, after=changes
        )
        return queue


def arrival(tx: Transaction, services: Services, *, slug: str | None, viewer: Viewer = SYSTEM) -> Queue:
    """The queue of this slug, or the first in the viewer's sight; an empty installation gets its first queue here.

    Raises InputError `unknown_queue` for one that is out of sight, `no_queue` where none is in sight.
    """
    if slug:
        named = queues.find_by_slug(tx, slug)
        if named is None or (viewer.queue_ids is not None and named.id not in viewer.queue_ids):
            raise InputError("unknown_queue", queue=slug)
        return named
    first = first_queue(tx, services)
    if viewer.queue_ids is None or first.id in viewer.queue_ids:
        return first
    seen = queues.every(tx, viewer=viewer)
    if not seen and queues.every(tx):
        raise InputError("no_queue")
    return min(seen, key=lambda queue: queue.id) if seen else first


def first_queue(tx: Transaction, services: Services) -> Queue:
    """The oldest queue; where there is none, an inbox is made."""
    known = queues.every(tx)
    if known:
        return min(known, key=lambda queue: queue.id)
    queue_id = queues.insert(tx, slug="inbox", title="Inbox", intent_task=services.policy.intent_task)
    history.record(
        tx, actor=history.of(SYSTEM), verb="created", noun="queue", noun_id=queue_id, after={"slug": "inbox"}
    )
    return queues.get(tx, queue_id)


def titles_by_team(services: Services) -> dict[int, list[str]]:
    """The titles of the queues that each team owns."""
    found: dict[int, list[str]] = {}
    for queue in queues.every(services.db):
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


def every(services: Services) -> tuple[Queue, ...]:
    """All queues, by title."""
    return queues.every(services.db)
