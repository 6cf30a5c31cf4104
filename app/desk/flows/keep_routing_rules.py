"""Rules for where tickets go, tried on what came in before; and the model's own routing, intent by intent."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from app.core.db import Database, Reads, Transaction
from app.core.errors import FieldError, InputError
from app.core.events import history
from app.core.events.event import Event
from app.core.nouns import Changed, Fields, Inverse, Noun
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.decide import routing_rules, routing_trust
from app.desk.domain.routing_rule import (
    OPERATORS,
    Condition,
    Facts,
    Move,
    RoutingAction,
    RoutingRule,
    Ruled,
    Simulation,
    TrustReport,
)
from app.desk.domain.ticket import Priority
from app.desk.store import queues, routing_rule_rows

MOST_TRIED = 1000
MOST_JUDGED = 5000
MOST_SHOWN = 100
MOST_CONDITIONS = 10
HIGHEST = {"probability": 1.0, "urgency": 100.0}


class RoutingRuleNoun(Noun[RoutingRule]):
    """Routing rules in their order; a new one is off until it is switched on, a removed one goes back to its place."""

    name = "routing_rule"
    permission = "routing:write"
    fields = frozenset({"name", "conditions", "actions", "is_stop", "is_active"})
    needed = ("name",)
    is_restorable = True

    def make(self, row: sqlite3.Row) -> RoutingRule:
        """A rule out of its row."""
        return routing_rule_rows.as_rule(row)

    def check(self, tx: Transaction, given: Fields, was: RoutingRule | None) -> Fields:
        """The fields of a rule; raises InputError, also for rules that would send a ticket round in a circle."""
        found = _checked(tx, given)
        _check_circle(tx, replace(was or RoutingRule(id=0, name="", is_active=True), **found))
        return found

    def columns(self, values: Fields) -> Fields:
        """The fields as their columns keep them."""
        return routing_rule_rows.columns(values)

    def insert(self, tx: Transaction, columns: Fields) -> int:
        """Add a rule after all others; returns its number."""
        return super().insert(tx, {"position": routing_rule_rows.next_position(tx), **columns})

    def kept(self, tx: Transaction, row: RoutingRule) -> Fields:
        """The place of a rule in their order, counted from 1."""
        return {"place": [rule.id for rule in routing_rule_rows.every(tx)].index(row.id) + 1}

    def revive(self, tx: Transaction, thing_id: int, kept: Fields) -> None:
        """Put a rule back to its place."""
        fields = {name: value for name, value in kept.items() if name in self.fields}
        super().revive(tx, thing_id, {**fields, "position": 0})
        _put(tx, thing_id, place=int(kept["place"]))


def _put(tx: Transaction, rule_id: int, *, place: int) -> tuple[int, int]:
    """Move a rule to a place counted from 1; return its old and its new place."""
    known = [rule.id for rule in routing_rule_rows.every(tx)]
    at = known.index(rule_id)
    to = min(max(place - 1, 0), len(known) - 1)
    known.insert(to, known.pop(at))
    for position, one in enumerate(known, start=1):
        routing_rule_rows.set_position(tx, one, position=position)
    return at + 1, to + 1


def move_rule(db: Database | Transaction, rule_id: int, *, viewer: Viewer, by: int) -> Changed[RoutingRule]:
    """Move a rule one place up (−1) or down (1); raises NotFound."""
    with db.transaction() as tx:
        rule = routing_rule_rows.get(tx, rule_id)
        place = [one.id for one in routing_rule_rows.every(tx)].index(rule.id) + 1
        return put_rule(tx, rule_id, viewer=viewer, place=place + by)


def put_rule(
    db: Database | Transaction, rule_id: int, *, viewer: Viewer, place: int, undoes: int | None = None
) -> Changed[RoutingRule]:
    """Move a rule to a place counted from 1, or to the nearer end; raises NotFound."""
    with db.transaction() as tx:
        rule = routing_rule_rows.get(tx, rule_id)
        was, now = _put(tx, rule_id, place=place)
        if was == now:
            return Changed(row=rule)
        event = history.record(
            tx,
            actor=history.of(viewer),
            verb="moved",
            noun="routing_rule",
            noun_id=rule_id,
            before={"place": was},
            after={"place": now},
            undoes=undoes,
        )
        return Changed(row=routing_rule_rows.get(tx, rule_id), event=event)


def _undo_move(tx: Transaction, event: Event, viewer: Viewer) -> Changed[RoutingRule]:
    return put_rule(tx, event.noun_id, viewer=viewer, place=event.before["place"], undoes=event.id)


ROUTING_RULE = RoutingRuleNoun({"moved": Inverse(undo=_undo_move)})


def _checked(db: Reads, given: Fields) -> Fields:
    found = dict(given)
    for name, check in (("conditions", _condition), ("actions", _action)):
        if name not in found:
            continue
        found[name] = tuple(check(db, one, place=f"/{name}/{at}") for at, one in enumerate(found[name]))
        if not 0 < len(found[name]) <= MOST_CONDITIONS:
            raise InputError("rule_is_empty", fields=[FieldError(pointer=f"/{name}", code="empty")])
    return found


def _condition(db: Reads, given: Condition | Mapping[str, str], *, place: str) -> Condition:
    one = given if isinstance(given, Condition) else Condition(**cast(Any, given))
    if one.field not in OPERATORS or one.operator not in OPERATORS[one.field]:
        raise _fault(place, value=f"{one.field} {one.operator}")
    if one.operator in ("at_least", "below"):
        _check_number(one, place=place)
    elif not one.value.strip():
        raise InputError("empty_field", fields=[FieldError(pointer=place + "/value", code="empty")])
    if one.field == "queue":
        _check_queues(db, [part.strip() for part in one.value.split(",") if part.strip()], place=place)
    return one


def _check_number(one: Condition, *, place: str) -> None:
    try:
        found = float(one.value)
    except ValueError:
        raise _fault(place + "/value", value=one.value) from None
    if not 0 <= found <= HIGHEST[one.field]:
        raise _fault(place + "/value", value=one.value)


def _action(db: Reads, given: RoutingAction | Mapping[str, str], *, place: str) -> RoutingAction:
    one = given if isinstance(given, RoutingAction) else RoutingAction(**cast(Any, given))
    if one.type == "route":
        _check_queues(db, [one.value], place=place)
    elif one.type == "set_priority":
        if one.value not in get_args(Priority):
            raise _fault(place + "/value", value=one.value)
    elif one.type != "add_tag" or not one.value.strip():
        raise _fault(place, value=one.type)
    return one


def _check_queues(db: Reads, slugs: Sequence[str], *, place: str) -> None:
    for slug in slugs:
        if queues.find_by_slug(db, slug) is None:
            raise InputError("unknown_queue", fields=[FieldError(pointer=place, code="unknown_queue")], queue=slug)


def _fault(place: str, *, value: str) -> InputError:
    fields = [FieldError(pointer=place, code="unknown_value", params=(("value", value),))]
    return InputError("unknown_value", fields=fields, field=place.rpartition("/")[2], value=value)


def _check_circle(tx: Transaction, rule: RoutingRule) -> None:
    if routing_rules.matches_itself(rule):
        raise InputError("rule_matches_itself", name=rule.name)
    if rule.is_active:
        others = [one for one in routing_rule_rows.every(tx, is_active=True) if one.id != rule.id]
        found = routing_rules.circle([*others, rule])
        if found:
            raise InputError("rules_in_circle", names=" → ".join(found))


def simulate(services: Services, *, viewer: Viewer, rule_id: int | None = None, n: int = 200) -> Simulation:
    """Try the active rules, with one more switched on, on the last `n` tickets in sight."""
    if not 1 <= n <= MOST_TRIED:
        raise InputError("unknown_value", field="n", value=n)
    db = services.db
    if rule_id is not None:
        routing_rule_rows.get(db, rule_id)
    asked = [replace(one, is_active=one.is_active or one.id == rule_id) for one in routing_rule_rows.every(db)]
    slugs = {queue.id: queue.slug for queue in queues.every(db)}
    n_hit, moves, counts = 0, list[Move](), Counter[tuple[str, str]]()
    tried = routing_rule_rows.tried_on(db, viewer=viewer, limit=n)
    for row in tried:
        came_in = slugs.get(row["arrived_in"], slugs.get(row["queue_id"], ""))
        ruled = routing_rules.run(asked, facts=_facts_of_row(row, queue=came_in))
        if not ruled.hits or (rule_id is not None and rule_id not in {one.id for one in ruled.hits}):
            continue
        n_hit += 1
        if ruled.facts.queue != came_in:
            counts[(came_in, ruled.facts.queue)] += 1
        moves.append(_move(row, ruled=ruled, came_in=came_in, stands_in=slugs.get(row["queue_id"], "")))
    return Simulation(n=len(tried), n_hit=n_hit, moves=tuple(moves[:MOST_SHOWN]), counts=dict(counts.most_common()))


def _move(row: sqlite3.Row, *, ruled: Ruled, came_in: str, stands_in: str) -> Move:
    return Move(
        ticket_id=row["id"],
        subject=row["subject"],
        arrived_in=came_in,
        stands_in=stands_in,
        would_go_to=ruled.facts.queue,
        rules=tuple(one.name for one in ruled.hits),
    )


def _facts_of_row(row: sqlite3.Row, *, queue: str) -> Facts:
    return Facts(
        queue=queue,
        intent=row["intent"] or "",
        sentiment=row["sentiment"] or "",
        emotion=row["emotion"] or "",
        language=row["language"],
        channel=row["channel"],
        tier=row["tier"],
        priority=row["priority"],
        needs_person=bool(row["needs_person"]),
        # What a person said is certain.
        probability=1.0 if row["intent_probability"] is None and row["intent"] else row["intent_probability"] or 0.0,
        urgency=row["urgency"] or 0,
        text=row["text"] or "",
    )


def trust_report(services: Services, *, precision: float, n: int = MOST_JUDGED) -> TrustReport:
    """Count what the model would have routed of the last `n` tickets, and how often people agreed."""
    if not 0.5 <= precision < 1:
        raise InputError("unknown_value", field="precision", value=precision)
    return routing_trust.report(routing_rule_rows.judged(services.db, limit=n), precision=precision)
