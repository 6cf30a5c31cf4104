"""Routing rules, tried before they are switched on, and the model's own routing of each intent."""

from __future__ import annotations

from typing import ClassVar, get_args

from flask import Response
from marshmallow import fields

from app.desk.domain.routing_rule import OPERATORS, Field, Operator
from app.desk.domain.ticket import Priority
from app.desk.flows import keep_queues, show_queues
from app.desk.flows import keep_routing_rules as flow
from app.desk.flows.keep_routing_rules import ROUTING_RULE
from app.web import access
from app.web.api import api_lists, noun_routes
from app.web.api.api_shapes import Between, ChangeShape, Flag, Id, Json, Number, OneOf, Shape, Size, Whole, page_of, row
from app.web.api.openapi import blueprint, route

group = blueprint("routing", about="Where tickets go: rules that people write, and the model, intent by intent.")

MANY = Size(min=1, max=flow.MOST_CONDITIONS)


def _value(field: str) -> Json:
    """The JSON schema of the value of a field that is compared by size."""
    highest = flow.HIGHEST.get(field)
    if highest is None:
        return {}
    return {"value": {"pattern": r"^(0(\.[0-9]{1,6})?|1)$" if highest == 1 else "^([0-9]{1,2}|100)$"}}


class ConditionShape(Shape):
    """A condition of a rule; several values with commas between mean any of them."""

    told: ClassVar[Json] = {
        "anyOf": [
            {"properties": {"field": {"const": field}, "operator": {"enum": list(known)}, **_value(field)}}
            for field, known in OPERATORS.items()
        ]
    }

    field = fields.String(required=True, validate=OneOf(get_args(Field)))
    operator = fields.String(required=True, validate=OneOf(get_args(Operator)))
    value = fields.String(required=True, validate=Size(min=1, max=200))


class RoutingActionShape(Shape):
    """An action of a rule: `route` (to a queue's slug), `add_tag` or `set_priority`."""

    told: ClassVar[Json] = {
        "anyOf": [
            {"properties": {"type": {"enum": ["route", "add_tag"]}}},
            {"properties": {"type": {"const": "set_priority"}, "value": {"enum": list(get_args(Priority))}}},
        ]
    }

    type = fields.String(required=True, validate=OneOf(("route", "add_tag", "set_priority")))
    value = fields.String(required=True, validate=Size(min=1, max=60))


class NewRoutingRuleShape(Shape):
    """A rule to add; it is off until it is switched on."""

    name = fields.String(required=True, validate=Size(min=1, max=120))
    conditions = fields.List(fields.Nested(ConditionShape), required=True, validate=MANY)
    actions = fields.List(fields.Nested(RoutingActionShape), required=True, validate=MANY)
    is_stop = Flag(load_default=True)


class RoutingRuleChangeShape(ChangeShape):
    """The fields of a rule to change; the others stay."""

    name = fields.String(validate=Size(min=1, max=120))
    conditions = fields.List(fields.Nested(ConditionShape), validate=MANY)
    actions = fields.List(fields.Nested(RoutingActionShape), validate=MANY)
    is_stop = Flag()
    is_active = Flag()


class RoutingRuleShape(Shape):
    """A routing rule."""

    id = Id("rrl")
    name = fields.String()
    conditions = fields.List(fields.Nested(ConditionShape))
    actions = fields.List(fields.Nested(RoutingActionShape))
    is_stop = Flag()
    is_active = Flag()
    version = Whole()


class SimulationQuery(Shape):
    """The number of the last tickets that a rule is tried on."""

    n = Whole(load_default=200, validate=Between(1, flow.MOST_TRIED))


class MoveShape(Shape):
    """A ticket that a rule would have matched."""

    ticket = Id("tkt", attribute="ticket_id")
    arrived_in = fields.String()
    stands_in = fields.String()
    would_go_to = fields.String()
    rules = fields.List(fields.String())


class FlowShape(Shape):
    """The number of tickets that would have gone from one queue to another."""

    source = fields.String()
    target = fields.String()
    n = Whole()


class SimulationShape(Shape):
    """The effect that a rule would have had; `moves` shows at most a hundred tickets."""

    n = Whole()
    n_hit = Whole()
    n_moved = Whole()
    counts = fields.List(fields.Nested(FlowShape))
    moves = fields.List(fields.Nested(MoveShape))


class TrustQuery(Shape):
    """The share of predictions that has to be right."""

    precision = Number(load_default=0.95, validate=Between(0.5, 0.999))


class StepShape(Shape):
    """The tickets from one confidence on, and how many of them were right."""

    least = Number()
    n = Whole()
    n_judged = Whole()
    n_right = Whole()
    precision = Number(allow_none=True)


class IntentTrustShape(Shape):
    """One intent; `suggested` is the lowest confidence that keeps the precision."""

    task = fields.String()
    intent = fields.String()
    queue = fields.String(allow_none=True)
    is_trusted = Flag()
    least_probability = Number()
    steps = fields.List(fields.Nested(StepShape))
    suggested = fields.Nested(StepShape, allow_none=True)


class TrustShape(Shape):
    """The tickets that the model would have routed by itself."""

    precision = Number()
    n = Whole()
    n_judged = Whole()
    n_automated = Whole()
    automated_rate = Number(allow_none=True)
    intents = fields.List(fields.Nested(IntentTrustShape))


class TrustChangeShape(Shape):
    """The switch of the model for an intent, and the least confidence from which it routes by itself."""

    is_trusted = Flag(required=True)
    least_probability = Number(load_default=0.0, validate=Between(0, 1))


@route(group, "/routing-rules", needs="routing:read", returns=page_of(RoutingRuleShape, "RoutingRulePage"))
def list_rules() -> Json:
    """List all routing rules in the order they are asked."""
    return api_lists.whole(show_queues.rules(access.services()))


noun_routes.add_routes(
    group,
    ROUTING_RULE,
    path="/routing-rules",
    prefix="rrl",
    shape=RoutingRuleShape,
    new=NewRoutingRuleShape,
    change=RoutingRuleChangeShape,
    name="rule",
)


@route(
    group,
    "/routing-rules/<id(rrl):rule_id>/simulation",
    needs="routing:read",
    query=SimulationQuery,
    returns=SimulationShape,
)
def simulate(query: Json, *, rule_id: int) -> Json:
    """Try the rule, with those that are on, on the last tickets."""
    found = flow.simulate(access.services(), viewer=access.viewer(), rule_id=rule_id, n=query["n"])
    counts = [{"source": source, "target": target, "n": n} for (source, target), n in found.counts.items()]
    return row(found, counts=counts, n_moved=found.n_moved)


@route(group, "/routing-trust", needs="routing:read", query=TrustQuery, returns=TrustShape)
def show_trust(query: Json) -> Json:
    """Report what the model would have routed and how often it was right, by intent and confidence."""
    services = access.services()
    found = flow.trust_report(services, precision=query["precision"])
    routes, slugs = show_queues.routes(services), show_queues.slugs(services)
    intents = []
    for one in found.intents:
        rule = routes.get((one.task, one.intent))
        queue = None if rule is None or rule.queue_id is None else slugs.get(rule.queue_id)
        is_trusted = rule is not None and queue is not None and rule.is_trusted
        least = 0.0 if rule is None else rule.least_probability
        intents.append(row(one, queue=queue, is_trusted=is_trusted, least_probability=least))
    return row(found, intents=intents, automated_rate=found.automated_rate)


@route(
    group,
    "/routing-trust/<task>/<intent>",
    method="PATCH",
    needs="routing:write",
    reads=TrustChangeShape,
    status=204,
)
def set_trust(payload: Json, *, task: str, intent: str) -> Response:
    """Let the model route an intent by itself, or stop it."""
    keep_queues.set_trust(access.services().db, viewer=access.viewer(), task=task, intent=intent, **payload)
    return Response(status=204)
