"""Queues, the intents that lead to them, and the policies of their clocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from app.core import scope
from app.core.db import Reads, Transaction, statement
from app.core.errors import NotFound
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.desk.domain.sla_policy import SlaPolicy
from app.desk.domain.ticket import Queue, RouteRule


def as_queue(row: sqlite3.Row) -> Queue:
    """A queue out of its row."""
    return built(Queue, row, flags=("is_redacting",))


def get(db: Reads, queue_id: int, *, viewer: Viewer | None = None) -> Queue:
    """The queue with this id; raises NotFound, out of the viewer's scope too."""
    if viewer is not None and not viewer.sees_queue(queue_id):
        raise NotFound(noun="queue", id=queue_id)
    return as_queue(db.got("queue", queue_id))


def find_by_slug(db: Reads, slug: str) -> Queue | None:
    """The queue of this slug."""
    row = db.row("SELECT * FROM queue WHERE slug = ?", (slug,))
    return None if row is None else as_queue(row)


def arrival(db: Reads, *, slug: str | None, viewer: Viewer) -> Queue | None:
    """The queue of this slug, or else the oldest, in the viewer's sight."""
    rows = db.rows("SELECT * FROM queue WHERE slug = coalesce(?, slug) ORDER BY id", (slug or None,))
    return next((as_queue(row) for row in rows if viewer.sees_queue(row["id"])), None)


def every(db: Reads, *, viewer: Viewer | None = None) -> tuple[Queue, ...]:
    """Queues by title; those in the viewer's scope."""
    where, params = scope.joined([scope.of_queues(viewer, column="id")])
    return tuple(
        as_queue(row) for row in db.rows(statement("SELECT * FROM queue", where, "ORDER BY title, id"), params)
    )


def slugs(db: Reads) -> dict[int, str]:
    """The slugs of all queues by id."""
    return {row[0]: row[1] for row in db.rows("SELECT id, slug FROM queue")}


def visible_ids(db: Reads, team_ids: Iterable[int]) -> frozenset[int]:
    """The queues of these teams, and those of no team."""
    rows = db.rows(
        "SELECT id FROM queue WHERE team_id IS NULL OR team_id IN (SELECT value FROM json_each(?))",
        (scope.listed(team_ids),),
    )
    return frozenset(row["id"] for row in rows)


def _route(row: sqlite3.Row) -> RouteRule:
    return built(RouteRule, row, flags=("is_trusted",))


def route_rules(db: Reads, *, task: str | None = None) -> tuple[RouteRule, ...]:
    """The rules of intents, by task and intent."""
    where, params = ("WHERE task = ?", [task]) if task is not None else ("", [])
    rows = db.rows(statement("SELECT * FROM route_rule", where, "ORDER BY task, intent"), params)
    return tuple(_route(row) for row in rows)


def route_rule(db: Reads, *, task: str, intent: str) -> RouteRule | None:
    """The rule of one intent."""
    row = db.row("SELECT * FROM route_rule WHERE task = ? AND intent = ?", (task, intent))
    return None if row is None else _route(row)


def set_route_rule(
    tx: Transaction, *, task: str, intent: str, queue_id: int | None, urgency: int = 10, is_trusted: bool = False
) -> int:
    """Send an intent to a queue (None: leave it where it arrives); returns the rule's id.

    `is_trusted` is for an intent that had no rule; one that had keeps its trust.
    """
    tx.execute(
        "INSERT INTO route_rule (task, intent, queue_id, urgency, is_trusted) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (task, intent) DO UPDATE SET queue_id = excluded.queue_id, urgency = excluded.urgency",
        (task, intent, queue_id, urgency, is_trusted),
    )
    return int(tx.value("SELECT id FROM route_rule WHERE task = ? AND intent = ?", (task, intent)))


def trust(tx: Transaction, rule_id: int, *, is_trusted: bool, least_probability: float) -> None:
    """Let the model route an intent by itself where it is at least so sure, or not."""
    tx.execute(
        "UPDATE route_rule SET is_trusted = ?, least_probability = ? WHERE id = ?",
        (is_trusted, least_probability, rule_id),
    )


def as_policy(row: sqlite3.Row) -> SlaPolicy:
    """A policy out of its row."""
    made = built(SlaPolicy, row, tuples=("hours", "holidays"), flags=("is_default",))
    hours = tuple((int(day), int(opens), int(closes)) for day, opens, closes in made.hours)
    return built(SlaPolicy, row, tuples=("holidays",), flags=("is_default",), hours=hours)


def policy(db: Reads, policy_id: int) -> SlaPolicy:
    """The policy with this id; raises NotFound."""
    return as_policy(db.got("sla_policy", policy_id))


def policies(db: Reads) -> tuple[SlaPolicy, ...]:
    """Policies by name."""
    return tuple(as_policy(row) for row in db.rows("SELECT * FROM sla_policy ORDER BY name"))


def policy_of(db: Reads, queue_id: int) -> SlaPolicy:
    """The policy of a queue, else the default one, else eight hours and two days around the clock."""
    row = db.row(
        "SELECT sla_policy.* FROM sla_policy LEFT JOIN queue ON queue.id = ? "
        "WHERE sla_policy.id = queue.sla_policy_id OR is_default = 1 "
        "ORDER BY sla_policy.id = coalesce(queue.sla_policy_id, 0) DESC LIMIT 1",
        (queue_id,),
    )
    return SlaPolicy() if row is None else as_policy(row)


def default_policy(db: Reads) -> SlaPolicy | None:
    """The policy of queues that name none."""
    row = db.row("SELECT * FROM sla_policy WHERE is_default = 1")
    return None if row is None else as_policy(row)


def add_default_policy(tx: Transaction, *, first_response_ms: int, resolution_ms: int) -> None:
    """Add the policy of queues that name none."""
    times = {"first_response_ms": first_response_ms, "resolution_ms": resolution_ms}
    tx.insert("sla_policy", {"name": "Default", "is_default": True, **times})


def set_default_hours(tx: Transaction, policy_id: int, *, first_response_ms: int, resolution_ms: int) -> None:
    """Follow the settings; that is no edit, so the version stays."""
    tx.execute(
        "UPDATE sla_policy SET first_response_ms = ?, resolution_ms = ? WHERE id = ?",
        (first_response_ms, resolution_ms, policy_id),
    )
