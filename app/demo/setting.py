"""Where the demo's story plays: its people, queues, routes, answers, companies and feeds."""

from __future__ import annotations

from app.alerts.flows import tick_rules
from app.answers.flows import keep_articles, keep_macros
from app.core.permissions import SYSTEM, User, UserRole
from app.core.services import Services
from app.demo import story
from app.desk.flows import keep_queues, keep_sla_policies
from app.market.flows import fetch_feeds, show_market
from app.people.flows import keep_accounts, keep_teams
from app.people.store import teams


def people(services: Services) -> dict[str, User]:
    """Add the story's people and their teams; users by name, and the admin under `admin` too."""
    told = story.read("people")
    entries: list[tuple[UserRole, dict[str, str]]] = [("admin", told["admin"])]
    entries += [("agent", entry) for entry in told["agents"]] + [("analyst", entry) for entry in told["analysts"]]
    found: dict[str, User] = {}
    for role, entry in entries:
        fields = {name: entry[name] for name in ("name", "email", "locale", "zone")}
        found[entry["name"]] = keep_accounts.add_user(services, role=role, viewer=SYSTEM, **fields)
    for name in sorted({agent["team"] for agent in told["agents"]}):
        team = keep_teams.add_team(services, viewer=SYSTEM, name=name)
        members = [found[agent["name"]].id for agent in told["agents"] if agent["team"] == name]
        keep_teams.set_team_members(services, team.id, viewer=SYSTEM, user_ids=members)
    return {**found, "admin": found[told["admin"]["name"]]}


def queues(services: Services) -> None:
    """Add the story's queues and the route and base urgency of every intent."""
    office = keep_sla_policies.add_policy(services, viewer=SYSTEM, **story.read("sla"))
    ids: dict[str, int] = {}
    for entry in story.read("queues"):
        team = teams.find_by_name(services.db, entry["team"]) if entry.get("team") else None
        fields = {name: entry[name] for name in ("slug", "title", "intent_task")}
        queue = keep_queues.add_queue(services, viewer=SYSTEM, team_id=team.id if team else None, **fields)
        ids[queue.slug] = queue.id
        keep_queues.change_queue(services, queue.id, viewer=SYSTEM, changes={"sla_policy_id": office.id})
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
        keep_macros.add_macro(services, viewer=SYSTEM, **row)
    for row in story.rows("articles"):
        keep_articles.add_article(services, viewer=SYSTEM, **row)


def companies(services: Services) -> dict[str, int]:
    """Add the story's companies, feeds and alert rule; feed ids by slug."""
    for row in story.rows("entities"):
        show_market.add_entity(services, viewer=SYSTEM, **row)
    ids: dict[str, int] = {}
    for row in story.read("feeds"):
        # The feeds of the story have no address to fetch: their posts are already here.
        feed = fetch_feeds.add_feed(services, viewer=SYSTEM, **{**row, "kind": "push"})
        ids[feed.slug] = feed.id
    tick_rules.add_rule(services, viewer=SYSTEM, name="Negative news surge", kind="surge")
    return ids
