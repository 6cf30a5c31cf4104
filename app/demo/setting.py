"""The setting of the demo's story: people, queues, routes, answers, companies and feeds."""

from __future__ import annotations

from app.alerts.flows.keep_rules import RULE
from app.answers.flows import keep_articles
from app.answers.flows.keep_macros import MACRO
from app.core import changes
from app.core.permissions import SYSTEM, User, UserRole
from app.core.services import Services
from app.demo import story
from app.desk.flows import keep_queues
from app.desk.flows.keep_queues import QUEUE
from app.desk.flows.keep_sla_policies import SLA_POLICY
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.people.flows import keep_accounts
from app.people.flows.keep_teams import TEAM
from app.people.store import teams


def people(services: Services) -> dict[str, User]:
    """Add the story's people and their teams; returns users by name, and the administrator also as `admin`."""
    listed = story.read("people")
    entries: list[tuple[UserRole, dict[str, str]]] = [("admin", listed["admin"])]
    entries += [("agent", entry) for entry in listed["agents"]] + [("analyst", entry) for entry in listed["analysts"]]
    found: dict[str, User] = {}
    for role, entry in entries:
        fields = {name: entry[name] for name in ("name", "email", "locale", "zone")}
        found[entry["name"]] = keep_accounts.add_user(services, role=role, viewer=SYSTEM, **fields)
    for name in sorted({agent["team"] for agent in listed["agents"]}):
        team = changes.add(services.db, TEAM, {"name": name}, viewer=SYSTEM).row
        members = [found[agent["name"]].id for agent in listed["agents"] if agent["team"] == name]
        changes.change(services.db, TEAM, team.id, {"user_ids": members}, viewer=SYSTEM)
    return {**found, "admin": found[listed["admin"]["name"]]}


def queues(services: Services) -> None:
    """Add the story's queues and the route and base urgency of every intent."""
    office = changes.add(services.db, SLA_POLICY, story.read("sla"), viewer=SYSTEM).row
    ids: dict[str, int] = {}
    for entry in story.read("queues"):
        team = teams.find_by_name(services.db, entry["team"]) if entry.get("team") else None
        fields = {name: entry[name] for name in ("slug", "title", "intent_task")}
        queue = keep_queues.add_queue(services, viewer=SYSTEM, team_id=team.id if team else None, **fields)
        ids[queue.slug] = queue.id
        changes.change(services.db, QUEUE, queue.id, {"sla_policy_id": office.id}, viewer=SYSTEM)
    routes = story.read("routes")
    for task, urgency in routes["urgency"].items():
        for intent, slug in routes[task].items():
            keep_queues.set_route_rule(
                services,
                viewer=SYSTEM,
                task=task,
                intent=intent,
                queue_id=ids[slug],
                urgency=urgency.get(intent, 0),
                is_trusted=True,
            )


def answers(services: Services) -> None:
    """Add the story's macros and knowledge articles."""
    for row in story.rows("macros"):
        changes.add(services.db, MACRO, row, viewer=SYSTEM)
    for row in story.rows("articles"):
        keep_articles.add_article(services, row, viewer=SYSTEM)


def companies(services: Services) -> dict[str, int]:
    """Add the story's companies, feeds and alert rule; returns feed ids by slug."""
    for row in story.rows("entities"):
        changes.add(services.db, ENTITY, row, viewer=SYSTEM)
    ids: dict[str, int] = {}
    for row in story.read("feeds"):
        # The feeds of the story have no address to fetch: their posts are already here.
        feed = changes.add(services.db, FEED, {**row, "kind": "push"}, viewer=SYSTEM).row
        ids[feed.slug] = feed.id
    changes.add(services.db, RULE, {"name": "Negative news surge", "kind": "surge"}, viewer=SYSTEM)
    return ids
