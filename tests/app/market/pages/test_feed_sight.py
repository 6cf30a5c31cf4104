"""Who sees some feeds only: totals, series, charts and evidence hold nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.alerts.flows import keep_evidence
from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import NotFound
from app.core.permissions import SYSTEM
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts, show_market
from app.market.flows.keep_feeds import FEED
from app.market.store import buckets
from app.people.flows.keep_teams import TEAM
from tests.app.page_house import House, make_house


def _tell(house: House, feed_id: int, *titles: str) -> None:
    at = clock.now_ms() - HOUR_MS
    drafts = [PostDraft(external_id=title, title=title, occurred_at=at) for title in titles]
    ingest_posts.receive(house.site.services, feed_id, drafts, viewer=SYSTEM)


@pytest.fixture
def divided(tmp_path: Path) -> Iterator[House]:
    """The wire belongs to a team without the analyst; everybody sees the gazette, which says two things."""
    made = make_house(tmp_path)
    services = made.site.services
    team = changes.add(services.db, TEAM, {"name": "Desk of the wire"}, viewer=SYSTEM).row
    changes.change(services.db, FEED, made.feed, {"team_id": team.id}, viewer=SYSTEM)
    gazette = changes.add(services.db, FEED, {"slug": "gazette", "name": "Gazette", "kind": "push"}, viewer=SYSTEM).row
    titles = ("Larkspur Home falls after the storm", "A quiet day for cheese")
    _tell(made, gazette.id, *titles)
    yield made
    made.site.app.extensions["bellwether"].close()


def _whole(house: House, role: str) -> int:
    viewer = house.viewer("admin" if role == "admin" else "analyst")
    now = clock.now_ms()
    found = show_market.window(
        house.site.services, "market", "all", since=now - 40 * DAY_MS, until=now + DAY_MS, viewer=viewer
    )
    return found.n_posts


def test_the_whole_market_is_that_of_the_feeds_in_sight(divided: House) -> None:
    assert (_whole(divided, "admin"), _whole(divided, "analyst")) == (31, 2)
    services, now = divided.site.services, clock.now_ms()
    period: dict[str, Any] = {"since": now - 40 * DAY_MS, "until": now + DAY_MS}
    analyst = divided.viewer("analyst")
    drawn = show_market.series(services, "market", "all", **period, step_ms=DAY_MS, viewer=analyst)
    assert sum(one.n_posts for one in drawn) == 2
    (row,) = [one for one in show_market.overview(services, **period, viewer=analyst) if one.subject_kind == "market"]
    assert row.window.n_posts == 2
    api = divided.site.caller("posts:read", role="analyst")
    points = api("GET", "/api/v1/series?kind=market&id=all&step=day").get_json()["data"]
    assert sum(one["n_stories"] for one in points) == 2


def test_who_sees_every_feed_has_the_market_as_it_is_counted(divided: House) -> None:
    services, now = divided.site.services, clock.now_ms()
    changes.change(services.db, FEED, divided.feed, {"team_id": None}, viewer=SYSTEM)
    _tell(divided, 2, "Larkspur Home falls after a fraud probe of lamps")
    period: dict[str, Any] = {"since": now - 40 * DAY_MS, "until": now + DAY_MS}
    # The story that both feeds tell counts once.
    kept = buckets.window(services.db, subject_kind="market", subject_id="all", **period)
    assert show_market.window(services, "market", "all", **period, viewer=divided.viewer("analyst")) == kept
    assert kept.n_stories < kept.n_posts


def test_a_feed_out_of_sight_has_no_series_and_no_chart(divided: House) -> None:
    analyst, admin = divided.reader("analyst"), divided.reader("admin")
    for name in ("series.csv", "series.svg", "series.png"):
        path = f"/market/{name}?kind=feed&id={divided.feed}"
        assert (admin.get(path).status_code, analyst.get(path).status_code) == (200, 404), name
    assert analyst.get("/market").status_code == analyst.get("/rules").status_code == 200
    with pytest.raises(NotFound):
        show_market.window(
            divided.site.services,
            "feed",
            str(divided.feed),
            since=0,
            until=clock.now_ms(),
            viewer=divided.viewer("analyst"),
        )


def test_an_alert_explains_itself_with_the_stories_in_sight(divided: House) -> None:
    services = divided.site.services
    whole = keep_evidence.visible_evidence(services, divided.alert, viewer=divided.viewer("admin"))
    seen = keep_evidence.visible_evidence(services, divided.alert, viewer=divided.viewer("analyst"))
    assert whole is not None
    assert seen is not None
    assert whole.drivers
    assert seen.drivers == ()
    said = {one.word for one in whole.words}, {one.word for one in seen.words}
    assert [{"falls", "fraud", "probe"} & words for words in said] == [{"falls", "fraud", "probe"}, {"falls"}]
    text = divided.reader("analyst").get(f"/alerts/{divided.alert}").get_data(as_text=True)
    assert "fraud probe of ovens" not in text
    assert "fraud probe of ovens" in divided.reader("admin").get(f"/alerts/{divided.alert}").get_data(as_text=True)
