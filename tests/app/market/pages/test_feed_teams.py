"""Feeds of a team: set by form and by API, with teams of one's own, and out of the sight of everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import changes
from app.core.permissions import SYSTEM
from app.market.store import feeds
from app.people.flows.keep_teams import TEAM
from tests.app.page_house import House, make_house, post

FIELDS = {"name": "Second wire", "kind": "push", "zone": "UTC", "weight": "1"}


@pytest.fixture
def teams(tmp_path: Path) -> Iterator[tuple[House, int, int]]:
    """A house with a team that the analyst is in, and one that they are not in."""
    house = make_house(tmp_path)
    services = house.site.services
    mine, others = (
        changes.add(services.db, TEAM, {"name": name}, viewer=SYSTEM).row for name in ("Tech desk", "Energy desk")
    )
    analyst = house.site.person("analyst")
    changes.change(services.db, TEAM, mine.id, {"user_ids": [analyst.id]}, viewer=SYSTEM)
    yield house, mine.id, others.id
    house.site.app.extensions["bellwether"].close()


def test_the_api_gives_a_feed_to_a_team_and_the_others_do_not_see_its_posts(teams: tuple[House, int, int]) -> None:
    house, _, _ = teams
    admin, analyst = house.site.caller("admin"), house.site.caller("posts:read", role="analyst")
    sent = {"slug": "energy", "name": "Energy", "team": "Energy desk"}
    made = admin("POST", "/api/v1/feeds", json=sent)
    assert (made.status_code, made.json["team"]) == (201, "Energy desk")
    admin("POST", "/api/v1/posts?feed=energy", json={"title": "Larkspur Home buys a wind park", "external_id": "w"})
    posts = [one["title"] for one in analyst("GET", "/api/v1/posts?limit=200").json["data"]]
    assert posts
    assert "Larkspur Home buys a wind park" not in posts
    assert "energy" not in {one["slug"] for one in analyst("GET", "/api/v1/feeds").json["data"]}
    given = admin("PATCH", f"/api/v1/feeds/{made.json['id']}", json={"team": "Tech desk"})
    assert given.json["team"] == "Tech desk"
    posts = [one["title"] for one in analyst("GET", "/api/v1/posts?limit=200").json["data"]]
    assert "Larkspur Home buys a wind park" in posts
    assert admin("PATCH", f"/api/v1/feeds/{made.json['id']}", json={"team": None}).json["team"] is None


@pytest.mark.parametrize("team", ["Energy desk", "No such desk"])
def test_only_one_s_own_teams_can_be_named_and_the_others_are_as_if_there_were_none(
    teams: tuple[House, int, int], team: str
) -> None:
    house, _, _ = teams
    analyst = house.site.caller("admin", role="analyst")
    refused = analyst("POST", "/api/v1/feeds", json={"slug": "a", "name": "A", "team": team})
    assert refused.status_code == 422
    detail = "There is no such team, or it is not one of yours."
    assert refused.json["errors"] == [{"pointer": "/team", "code": "unknown_team", "detail": detail}]
    assert analyst("POST", "/api/v1/feeds", json={"slug": "a", "name": "A", "team": "Tech desk"}).status_code == 201


def test_the_form_offers_one_s_own_teams_and_the_list_shows_whose_a_feed_is(teams: tuple[House, int, int]) -> None:
    house, mine, others = teams
    analyst = house.reader("analyst")
    page = analyst.get("/feeds").get_data(as_text=True)
    assert "Tech desk" in page
    assert "Energy desk" not in page
    shown = post(analyst, "/feeds", **FIELDS, team_id=str(mine))
    assert "Tech desk</span>" in shown
    made = feeds.find_by_slug(house.site.services.db, "second-wire")
    assert made is not None
    assert made.team_id == mine
    post(analyst, f"/feeds/{made.id}", **FIELDS, team_id=str(others))
    assert feeds.get(house.site.services.db, made.id).team_id == mine
    post(analyst, f"/feeds/{made.id}", **FIELDS, team_id="0")
    assert feeds.get(house.site.services.db, made.id).team_id is None


def test_a_change_of_something_else_leaves_the_team(teams: tuple[House, int, int]) -> None:
    house, _, others = teams
    services = house.site.services
    feed = house.feed
    admin = house.reader("admin")
    post(admin, f"/feeds/{feed}", **FIELDS, team_id=str(others))
    post(admin, f"/feeds/{feed}", **{**FIELDS, "name": "Renamed"}, team_id=str(others))
    assert (feeds.get(services.db, feed).team_id, feeds.get(services.db, feed).name) == (others, "Renamed")
