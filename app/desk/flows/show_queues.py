"""Queues as pages name them, with their teams and SLA policies, and the rules that lead tickets to them."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.permissions import Team, Viewer
from app.core.services import Services
from app.desk.domain.routing_rule import RoutingRule
from app.desk.domain.sla_policy import SlaPolicy
from app.desk.domain.ticket import Queue, RouteRule
from app.desk.store import queues, routing_rule_rows
from app.people.store import teams as team_rows


def every(services: Services, *, viewer: Viewer | None = None) -> tuple[Queue, ...]:
    """Return the queues in the viewer's sight by title; all queues without a viewer."""
    return queues.every(services.db, viewer=viewer)


def find(services: Services, slug: str, *, viewer: Viewer) -> Queue | None:
    """Return the queue of a slug, None where there is none in the viewer's sight."""
    found = queues.find_by_slug(services.db, slug)
    return found if found is not None and viewer.sees_queue(found.id) else None


def titles(services: Services) -> Mapping[int, str]:
    """Return the titles of all queues by id: tickets move to queues out of sight too."""
    return {queue.id: queue.title for queue in every(services)}


def slugs(services: Services) -> Mapping[int, str]:
    """Return the slugs of all queues by id."""
    return queues.slugs(services.db)


def teams(services: Services) -> tuple[Team, ...]:
    """Return the teams that can own a queue, by name."""
    return team_rows.every(services.db)


def policies(services: Services) -> tuple[SlaPolicy, ...]:
    """Return the SLA policies by name."""
    return queues.policies(services.db)


def rules(services: Services) -> tuple[RoutingRule, ...]:
    """Return the routing rules in the order they are asked."""
    return routing_rule_rows.every(services.db)


def routes(services: Services) -> Mapping[tuple[str, str], RouteRule]:
    """Return the queue that the model routes each intent to, by task and intent."""
    return {(rule.task, rule.intent): rule for rule in queues.route_rules(services.db)}
