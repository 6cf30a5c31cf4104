"""A fresh database with people, queues and routes, and the keyword engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.domain.people import SYSTEM, User, Viewer
from app.pipeline import accounts, desk, market
from app.pipeline.services import Policy, Services
from app.store import teams
from app.store.db import open_database
from tests.app.pipeline.fake_engine import FakeEngine
from tests.app.pipeline.wire import Wire, serving


@dataclass(frozen=True)
class Desk:
    """Two teams with a queue each, one open queue, an agent of each team, an analyst and an admin."""

    intake: int
    refunds: int
    cards: int
    shop_agent: Viewer
    card_agent: Viewer
    analyst: Viewer
    admin: Viewer
    admin_user: User


@pytest.fixture
def engine() -> FakeEngine:
    """The keyword engine."""
    return FakeEngine()


@pytest.fixture
def services(tmp_path: Path, engine: FakeEngine) -> Iterator[Services]:
    """Services on a new database."""
    db = open_database(tmp_path / "desk.sqlite")
    yield Services(db=db, engine=engine, policy=Policy())
    db.close()


@pytest.fixture
def people(services: Services) -> Desk:
    """People and queues of a small organisation."""
    admin = accounts.add_user(
        services, viewer=SYSTEM, name="Maren", email="maren@example.com", role="admin", password="correct horse"
    )
    found = {}
    for name, team_name in (("Ines", "Shop"), ("Tomas", "Cards")):
        team = desk.add_team(services, viewer=SYSTEM, name=team_name)
        user = accounts.add_user(services, viewer=SYSTEM, name=name, email=f"{name.lower()}@example.com", role="agent")
        desk.set_team_members(services, team.id, viewer=SYSTEM, user_ids=[user.id])
        found[team_name] = user
    team_ids = {team.name: team.id for team in teams.every(services.db)}
    queues = {
        "intake": desk.add_queue(services, viewer=SYSTEM, slug="intake", title="Intake"),
        "refunds": desk.add_queue(services, viewer=SYSTEM, slug="refunds", title="Refunds", team_id=team_ids["Shop"]),
        "cards": desk.add_queue(
            services,
            viewer=SYSTEM,
            slug="cards",
            title="Cards",
            intent_task="banking_intent",
            team_id=team_ids["Cards"],
        ),
    }
    for intent, urgency in (("get_refund", 25), ("complaint", 30)):
        desk.set_route_rule(
            services,
            viewer=SYSTEM,
            task="commerce_intent",
            intent=intent,
            queue_id=queues["refunds"].id,
            urgency=urgency,
            is_trusted=True,
        )
    analyst = accounts.add_user(services, viewer=SYSTEM, name="Priya", email="priya@example.com", role="analyst")
    return Desk(
        intake=queues["intake"].id,
        refunds=queues["refunds"].id,
        cards=queues["cards"].id,
        shop_agent=accounts.viewer_for(services, found["Shop"]),
        card_agent=accounts.viewer_for(services, found["Cards"]),
        analyst=accounts.viewer_for(services, analyst),
        admin=accounts.viewer_for(services, admin),
        admin_user=admin,
    )


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A server of feeds."""
    with serving() as made:
        yield made


@pytest.fixture
def private(services: Services) -> Services:
    """Services that may fetch from their own network, and two watched companies."""
    market.add_entity(services, viewer=SYSTEM, ticker="NWHL", name="Northwharf Logistics", aliases=("Northwharf",))
    market.add_entity(services, viewer=SYSTEM, ticker="BRWG", name="Brantwing Couriers", aliases=("Brantwing",))
    services.policy = replace(services.policy, is_fetching_private=True)
    return services
