"""Routing rules in their order, the tickets they are tried on, and what people found of the model's intents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from app.core import scope
from app.core.db import Reads, Transaction, statement
from app.core.events.event_log import QUEUE_AFTER
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.desk.domain.routing_rule import Condition, Judged, RoutingAction, RoutingRule

_OF_TICKETS = "noun_code = (SELECT id FROM noun WHERE name = 'ticket')"

_TRIED = statement(
    """SELECT ticket.id, ticket.subject, ticket.queue_id, ticket.intent, ticket.intent_probability,
ticket.sentiment, ticket.emotion, ticket.language, ticket.channel, ticket.priority, ticket.needs_person,
ticket.urgency, ticket.tags, customer.tier,
(SELECT text FROM message WHERE message.ticket_id = ticket.id AND kind = 'incoming' ORDER BY occurred_at, id LIMIT 1)
AS text, (SELECT""",
    QUEUE_AFTER,
    "FROM happened WHERE",
    _OF_TICKETS,
    """AND noun_id = ticket.id AND verb = 'created' ORDER BY id LIMIT 1) AS arrived_in
FROM ticket JOIN customer ON customer.id = ticket.customer_id""",
)

# What an agent said outranks where an agent put the ticket; who answered it where the intent leads agreed.
_JUDGED = statement(
    """WITH latest AS (SELECT id, queue_id, status, intent_source FROM ticket ORDER BY id DESC LIMIT ?)
SELECT prediction.task, prediction.label, prediction.probability, prediction.abstained, route_rule.queue_id AS wanted,
(SELECT label FROM correction WHERE correction.subject_kind = 'message' AND correction.subject_id = message.id
AND correction.task = prediction.task AND undone_at IS NULL ORDER BY id DESC LIMIT 1) AS said, (SELECT""",
    QUEUE_AFTER,
    "FROM happened WHERE",
    _OF_TICKETS,
    """AND noun_id = latest.id AND actor_kind IN ('agent', 'token') AND verb IN ('routed', 'edited')
AND undoes IS NULL AND""",
    QUEUE_AFTER,
    """IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM event AS inverse WHERE inverse.undoes = happened.id) ORDER BY id DESC LIMIT 1) AS put_in,
latest.queue_id AS stands_in,
EXISTS (SELECT 1 FROM message AS answer WHERE answer.ticket_id = latest.id AND answer.kind = 'outgoing'
AND answer.recalled_at IS NULL) AS is_answered
FROM latest JOIN message ON message.id = (SELECT id FROM message WHERE ticket_id = latest.id AND kind = 'incoming'
ORDER BY occurred_at, id LIMIT 1)
JOIN predicted AS prediction ON prediction.id = (SELECT max(id) FROM predicted WHERE subject_kind = 'message'
AND subject_id = message.id AND role = 'intent' AND is_shadow = 0)
LEFT JOIN route_rule ON route_rule.task = prediction.task AND route_rule.intent = prediction.label""",
)


def as_rule(row: sqlite3.Row) -> RoutingRule:
    """A rule out of its row."""
    conditions = tuple(Condition(field=f, operator=o, value=v) for f, o, v in json.loads(row["conditions"]))
    actions = tuple(RoutingAction(type=kind, value=value) for kind, value in json.loads(row["actions"]))
    return built(RoutingRule, row, flags=("is_stop", "is_active"), conditions=conditions, actions=actions)


def get(db: Reads, rule_id: int) -> RoutingRule:
    """The rule with this id; raises NotFound."""
    return as_rule(db.got("routing_rule", rule_id))


def every(db: Reads, *, is_active: bool | None = None) -> tuple[RoutingRule, ...]:
    """Rules in the order they are asked."""
    rows = db.rows(
        "SELECT * FROM routing_rule WHERE is_active = coalesce(?, is_active) ORDER BY position, id", (is_active,)
    )
    return tuple(as_rule(row) for row in rows)


def next_position(db: Reads) -> int:
    """The position after all rules."""
    return int(db.value("SELECT coalesce(max(position), 0) + 1 FROM routing_rule"))


def set_position(tx: Transaction, rule_id: int, *, position: int) -> None:
    """Give a rule its position in the order."""
    tx.change("routing_rule", rule_id, changes={"position": position})


def columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a rule as their columns keep them."""
    found = dict(values)
    if "conditions" in found:
        found["conditions"] = [(one.field, one.operator, one.value) for one in found["conditions"]]
    if "actions" in found:
        found["actions"] = [(one.type, one.value) for one in found["actions"]]
    return found


def tried_on(db: Reads, *, viewer: Viewer, limit: int) -> list[sqlite3.Row]:
    """The newest tickets in sight with all that rules ask about, and the queue they came in."""
    where, params = scope.joined([scope.of_queues(viewer, column="ticket.queue_id")])
    return db.rows(statement(_TRIED, where, "ORDER BY ticket.id DESC LIMIT ?"), [*params, limit])


def judged(db: Reads, *, limit: int) -> list[Judged]:
    """The model's intents of the newest tickets, each with people's verdict."""
    return [_judged(row) for row in db.rows(_JUDGED, (limit,))]


def _judged(row: sqlite3.Row) -> Judged:
    is_right: bool | None = None
    if row["said"] is not None:
        is_right = row["said"] == row["label"]
    elif row["wanted"] is not None and row["put_in"] is not None:
        is_right = row["put_in"] == row["wanted"]
    elif row["wanted"] is not None and row["is_answered"] and row["stands_in"] == row["wanted"]:
        is_right = True
    return Judged(
        task=row["task"],
        intent=row["label"],
        probability=row["probability"],
        abstained=bool(row["abstained"]),
        is_right=is_right,
    )
