"""Dashboards through the API: kept, shared, changed and removed as on their page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.core import changes
from app.core.permissions import SYSTEM
from app.core.views import keep_saved_views
from app.market.flows import keep_topics
from app.market.flows.keep_feeds import FEED
from app.market.flows.keep_topics import OWN_TOPIC
from app.people.flows.keep_teams import TEAM
from tests.app.page_house import House, make_house

PATH = "/api/v1/dashboards"
WRITER = ("posts:read", "posts:write")
MORNINGS: dict[str, Any] = {
    "name": "Mornings",
    "subjects": ["entity:LKSP", "topic:earnings", "feed:wire", "market"],
    "days": 7,
    "is_shared": True,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own: shared dashboards are everybody's."""
    made = make_house(tmp_path_factory.mktemp("dashboards"))
    yield made
    made.site.app.extensions["bellwether"].close()


def test_a_dashboard_is_kept_shown_changed_and_removed(house: House) -> None:
    api = house.site.caller(*WRITER, role="analyst")
    made = api("POST", PATH, json=MORNINGS)
    assert made.status_code == 201, made.json
    assert made.json == MORNINGS | {"id": made.json["id"], "n_hidden": 0, "is_own": True, "version": 1}
    path = f"{PATH}/{made.json['id']}"
    assert api("GET", path).json == made.json
    assert made.json in api("GET", PATH).json["data"]
    page = house.reader("analyst").get(
        "/market/dashboard?days=7&s=entity%3ALKSP&s=topic%3Aearnings&s=feed%3Awire&s=market"
    )
    assert "<h1>Mornings</h1>" in page.get_data(as_text=True)
    changed = api("PATCH", path, json={"subjects": ["market", "market"], "days": None}, headers={"If-Match": '"1"'})
    assert (changed.json["subjects"], changed.json["days"], changed.json["version"]) == (["market"], None, 2)
    assert changed.headers["ETag"] == '"2"'
    assert api("PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    renamed = api("PATCH", path, json={"name": "Evenings", "is_shared": False}).json
    assert (renamed["name"], renamed["is_shared"], renamed["subjects"]) == ("Evenings", False, ["market"])
    assert api("POST", PATH, json=MORNINGS | {"name": "Evenings"}).status_code == 409
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404


def test_a_shared_one_is_its_owners_or_an_administrators_to_change(house: House) -> None:
    analyst, admin = house.site.caller(*WRITER, role="analyst"), house.site.caller("admin")
    shared = f"{PATH}/{admin('POST', PATH, json=MORNINGS).json['id']}"
    own = f"{PATH}/{admin('POST', PATH, json=MORNINGS | {'name': 'Mine', 'is_shared': False}).json['id']}"
    assert not analyst("GET", shared).json["is_own"]
    assert [analyst(method, shared, json={"name": "x"}).status_code for method in ("PATCH", "DELETE")] == [403, 403]
    assert [analyst(method, own, json={"name": "x"}).status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3
    assert [one["name"] for one in analyst("GET", PATH).json["data"]] == ["Mornings"]
    theirs = f"{PATH}/{analyst('POST', PATH, json=MORNINGS | {'subjects': ['market']}).json['id']}"
    assert admin("PATCH", theirs, json={"name": "Ours"}).json["name"] == "Ours"
    assert [admin("DELETE", path).status_code for path in (shared, own, theirs)] == [204] * 3


def test_what_only_reads_changes_nothing(house: House) -> None:
    api = house.site.caller("posts:read", role="analyst")
    assert api("GET", PATH).status_code == 200
    assert api("POST", PATH, json=MORNINGS).status_code == 403
    assert house.site.caller("posts:read", role="agent")("GET", PATH).status_code == 403


def test_feeds_out_of_sight_are_hidden_and_stay(house: House) -> None:
    services = house.site.services
    analyst, admin = house.site.caller(*WRITER, role="analyst"), house.site.caller("admin")
    path = f"{PATH}/{analyst('POST', PATH, json=MORNINGS).json['id']}"
    team = changes.add(services.db, TEAM, {"name": "Desk of the wire"}, viewer=SYSTEM).row
    changes.change(services.db, FEED, house.feed, {"team_id": team.id}, viewer=SYSTEM)
    seen = analyst("PATCH", path, json={"name": "Renamed", "days": 28}).json
    assert (seen["subjects"], seen["n_hidden"]) == (["entity:LKSP", "topic:earnings", "market"], 1)
    assert analyst("POST", PATH, json=MORNINGS).status_code == 422
    whole = admin("GET", path).json
    assert (whole["name"], whole["days"], whole["subjects"]) == ("Renamed", 28, MORNINGS["subjects"])
    changes.change(services.db, FEED, house.feed, {"team_id": None}, viewer=SYSTEM)
    assert analyst("DELETE", path).status_code == 204


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 61}, "/name"),
        ({"subjects": []}, "/subjects"),
        ({"subjects": ["market"] * 13}, "/subjects"),
        ({"subjects": ["entity:GONE"]}, "/subjects"),
        ({"subjects": ["feed:gone"]}, "/subjects"),
        ({"subjects": ["topic:own-9"]}, "/subjects"),
        ({"subjects": ["topic:<b>"]}, "/subjects"),
        ({"subjects": ["planet:1"]}, "/subjects/0"),
        ({"days": 3}, "/days"),
    ],
)
def test_what_is_no_dashboard_is_told(house: House, changes: dict[str, Any], pointer: str) -> None:
    answer = house.site.caller("admin")("POST", PATH, json=MORNINGS | changes)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


def test_own_topics_stand_on_it_and_views_of_the_inbox_do_not_count(house: House) -> None:
    services, api = house.site.services, house.site.caller("admin")
    topic = keep_topics.add_topic(services, {"title": "Probes", "words": ["probe"]}, viewer=SYSTEM).row
    made = api("POST", PATH, json=MORNINGS | {"subjects": [f"topic:{topic.subject_id}"]})
    assert made.json["subjects"] == [f"topic:{topic.subject_id}"]
    changes.remove(services.db, OWN_TOPIC, topic.id, viewer=SYSTEM)
    assert api("GET", f"{PATH}/{made.json['id']}").json["n_hidden"] == 1
    inbox = keep_saved_views.add(
        services, viewer=house.viewer("admin"), name="Angry", query="sentiment=negative", is_shared=True
    ).row
    assert [
        api(method, f"{PATH}/{inbox.id}", json={"name": "Calm"}).status_code for method in ("GET", "PATCH", "DELETE")
    ] == [404] * 3
    api("DELETE", f"{PATH}/{made.json['id']}")
