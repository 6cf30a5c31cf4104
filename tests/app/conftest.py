"""Services on a fresh database with people and queues; sites without and with a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.core import changes
from app.core.db import open_database
from app.core.permissions import SYSTEM, User, Viewer
from app.core.services import Services
from app.desk.flows import keep_queues
from app.market.flows.keep_companies import ENTITY
from app.people.flows import find_viewer, keep_accounts
from app.people.flows.keep_teams import TEAM
from app.people.store import teams
from app.registration import register_flows
from tests.app.fake_engine import FakeEngine
from tests.app.feed_server import Wire, serving
from tests.app.page_house import House, make_house
from tests.app.policies import make_policy
from tests.app.site import Site, make_site
from tests.tiny_artifact import tiny_artifact

register_flows()


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
    yield Services(db=db, engine=engine, policy=make_policy())
    db.close()


@pytest.fixture
def people(services: Services) -> Desk:
    """People and queues of a small organisation."""
    admin = keep_accounts.add_user(
        services, viewer=SYSTEM, name="Maren", email="maren@example.com", role="admin", password="correct horse"
    )
    found = {}
    for name, team_name in (("Ines", "Shop"), ("Tomas", "Cards")):
        team = changes.add(services.db, TEAM, {"name": team_name}, viewer=SYSTEM).row
        user = keep_accounts.add_user(
            services, viewer=SYSTEM, name=name, email=f"{name.lower()}@example.com", role="agent"
        )
        changes.change(services.db, TEAM, team.id, {"user_ids": [user.id]}, viewer=SYSTEM)
        found[team_name] = user
    team_ids = {team.name: team.id for team in teams.every(services.db)}
    queues = {
        "intake": keep_queues.add_queue(services, viewer=SYSTEM, slug="intake", title="Intake"),
        "refunds": keep_queues.add_queue(
            services, viewer=SYSTEM, slug="refunds", title="Refunds", team_id=team_ids["Shop"]
        ),
        "cards": keep_queues.add_queue(
            services,
            viewer=SYSTEM,
            slug="cards",
            title="Cards",
            intent_task="banking_intent",
            team_id=team_ids["Cards"],
        ),
    }
    for intent, urgency in (("get_refund", 25), ("complaint", 30)):
        keep_queues.set_route_rule(
            services,
            viewer=SYSTEM,
            task="commerce_intent",
            intent=intent,
            queue_id=queues["refunds"].id,
            urgency=urgency,
            is_trusted=True,
        )
    analyst = keep_accounts.add_user(services, viewer=SYSTEM, name="Priya", email="priya@example.com", role="analyst")
    return Desk(
        intake=queues["intake"].id,
        refunds=queues["refunds"].id,
        cards=queues["cards"].id,
        shop_agent=find_viewer.viewer_for(services, found["Shop"]),
        card_agent=find_viewer.viewer_for(services, found["Cards"]),
        analyst=find_viewer.viewer_for(services, analyst),
        admin=find_viewer.viewer_for(services, admin),
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
    changes.add(
        services.db,
        ENTITY,
        {"ticker": "NWHL", "name": "Northwharf Logistics", "aliases": ("Northwharf",)},
        viewer=SYSTEM,
    )
    changes.add(
        services.db, ENTITY, {"ticker": "BRWG", "name": "Brantwing Couriers", "aliases": ("Brantwing",)}, viewer=SYSTEM
    )
    services.policy = replace(services.policy, is_fetching_private=True)
    return services


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without a model; tests that change settings or break things make their own."""
    made = make_site(tmp_path_factory.mktemp("site"))
    made.person("admin")
    yield made
    made.app.extensions["bellwether"].close()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the tiny artifact."""
    folder = tmp_path_factory.mktemp("models")
    tiny_artifact(folder / "tiny-1.0")
    return folder


@pytest.fixture(scope="session")
def model_site(tmp_path_factory: pytest.TempPathFactory, artifacts: Path) -> Iterator[Site]:
    """A site whose model is tiny and real."""
    made = make_site(tmp_path_factory.mktemp("model-site"), models=artifacts, intent_task="banking_intent")
    made.person("admin")
    # On a busy machine the first answer may take longer than a reader would wait.
    made.services.policy = replace(made.services.policy, deadline_ms=60_000)
    made.services.engine.model()
    yield made
    made.app.extensions["bellwether"].close()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site with a desk and a market."""
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.site.app.extensions["bellwether"].close()
