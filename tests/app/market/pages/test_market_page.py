"""The market's pages: what analysts read and change."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.alerts.flows import learn_baselines, measure_rules
from app.alerts.flows.keep_rules import RULE
from app.core import changes
from app.core.jobs import job_queue
from app.core.permissions import SYSTEM
from tests.app.page_house import House, make_house, post


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A house of one's own, to change rules in."""
    made = make_house(tmp_path)
    yield made
    made.site.app.extensions["bellwether"].close()


def _page(house: House, path: str) -> str:
    return str(house.reader("analyst").get(path).get_data(as_text=True))


def test_the_market_puts_the_firing_alert_on_top(house: House) -> None:
    text = _page(house, "/market")
    assert text.index("Larkspur Home: ") < text.index("Net sentiment")
    assert "10 of 10 stories" in text
    assert "count-bad" in text
    assert _page(house, "/market").count('class="spark"') >= 2


def test_a_company_has_its_charts_and_the_same_as_a_table(house: House) -> None:
    text = _page(house, "/market/entities/LKSP?days=28")
    assert text.count('<svg class="plot"') == 3
    assert "The same as a table" in text
    assert 'class="alerted"' in text
    assert text.count('class="usual"') == 3
    assert "Usual stories" in text
    assert "usually net" in text
    assert "fraud probe of lamps" in text


def test_an_alert_explains_itself(house: House) -> None:
    text = _page(house, f"/alerts/{house.alert}")
    for shown in (
        "Observed and usual",
        "at least 8",
        "Times the usual",
        "fraud probe of",
        "the condition held",
        "Bad news surges",
    ):
        assert shown in text, shown


def test_an_alert_whose_threshold_is_learned_tells_no_least_numbers(house: House) -> None:
    db, kept = house.site.services.db, "UPDATE alert SET observed = ? WHERE id = ?"
    was = json.loads(db.value("SELECT observed FROM alert WHERE id = ?", (house.alert,)))
    learned = {name: None if name.startswith("threshold_") else value for name, value in was.items()}
    with db.transaction() as tx:
        tx.execute(kept, (json.dumps(learned), house.alert))
    text = _page(house, f"/alerts/{house.alert}")
    with db.transaction() as tx:
        tx.execute(kept, (json.dumps(was), house.alert))
    assert "Times the usual" in text
    assert "at least" not in text
    assert "None" not in text


def test_an_alert_is_acknowledged_silenced_and_spoken_of_again(house: House) -> None:
    client, path = house.reader("analyst"), f"/alerts/{house.alert}"
    assert "acknowledged by Analyst" in post(client, f"{path}/acknowledge")
    assert "Please fill this in." in post(client, f"{path}/silence", hours="4", comment="")
    assert "Silenced until" in post(client, f"{path}/silence", hours="4", comment="known recall")
    listed = client.get("/alerts").get_data(as_text=True)
    assert "known recall" in listed
    assert "The silence has ended." in post(client, "/alerts/silences/1/end")


def test_feedback_teaches_what_is_recommended(house: House) -> None:
    client = house.reader("analyst")
    assert "Noted." in post(client, "/market/posts/1/feedback", kind="like", next="/market")
    assert "Because:" in client.get("/market?feed=for_you").get_data(as_text=True)
    assert "cannot be used" in post(client, "/market/posts/1/feedback", kind="shout")


def test_an_address_of_a_post_that_is_no_web_page_is_no_link(house: House) -> None:
    assert "javascript:" not in _page(house, "/market/posts")


def test_feeds_are_added_paused_and_filled_from_files(house: House) -> None:
    client = house.reader("analyst")
    assert "needs an address" in post(client, "/feeds", name="Ledger", kind="rss", zone="UTC")
    assert "no such time zone" in post(client, "/feeds", name="Ledger", kind="push", zone="Moon/Base")
    assert "is ready to take posts" in post(client, "/feeds", name="The Ledger", kind="push", zone="UTC")
    assert "paused" in post(client, f"/feeds/{house.feed}/switch", is_active="0")
    post(client, f"/feeds/{house.feed}/switch", is_active="1")
    table = b"title,published_at,external_id\nLarkspur Home rises,2026-01-02T03:04:05Z,n1\n,2026-01-02T03:04:05Z,n2\n"
    text = post(client, f"/feeds/{house.feed}/upload", file=(io.BytesIO(table), "posts.csv"))
    assert "read in the background" in text
    assert job_queue.run_due(house.site.services) == 1
    assert "1 rows taken, 1 not" in client.get("/feeds").get_data(as_text=True)
    assert "Choose a file." in post(client, f"/feeds/{house.feed}/upload")


def test_a_feed_inside_the_network_is_refused_with_a_sentence(house: House) -> None:
    text = post(house.reader("analyst"), "/feeds", name="Inside", kind="rss", url="http://127.0.0.1:1/x", zone="UTC")
    assert "not a public address" in text or "not public" in text


def test_rules_are_made_changed_and_deleted(house: House) -> None:
    client = house.reader("analyst")
    values: dict[str, Any] = {
        "name": "Quiet",
        "kind": "threshold",
        "budget": "1.0",
        "subject_kind": "topic",
        "window_hours": 12,
        "baseline_days": 14,
        "min_stories": 3,
        "min_negative": 2,
        "share": 60,
        "lift": "2.0",
        "pending_minutes": 30,
        "recovering_hours": 2,
        "cooldown_hours": 2,
        "severity": "info",
        "is_active": "y",
    }
    assert "is in force from the next evaluation" in post(client, "/rules/new", **values)
    listed = client.get("/rules").get_data(as_text=True)
    assert "60 % negative or more, 2.0 × the usual, 2 of at least 3 stories" in listed
    assert "Number must be between" in post(client, "/rules/2", **{**values, "share": 150})
    assert "Saved." in post(client, "/rules/2", **{**values, "share": 70})
    surge = {**values, "kind": "surge", "budget": "2"}
    assert "Saved." in post(client, "/rules/2", **surge)
    listed = client.get("/rules").get_data(as_text=True)
    assert "a surge of bad news" in listed
    assert "until seven days are known:" in listed
    assert "at most 1.00" in listed  # it asks for 2, and the dashboard allows 1
    tested = post(client, "/rules/2", **values, backtest="30")
    assert "With these values" in tested
    assert "As it is in force" in tested
    assert "saves nothing" in tested
    silent = post(client, "/rules/2", **{**values, "kind": "absence"}, backtest="90")
    assert "cannot be back-tested" in silent
    assert "The rule is deleted." in post(client, "/rules/2/delete")


def test_the_budget_of_the_dashboard_stands_beside_what_was_measured(own: House) -> None:
    client = own.reader("analyst")
    before = client.get("/rules").get_data(as_text=True)
    assert "0 called false, 0 useful, 1 not judged" in before
    post(client, f"/alerts/{own.alert}/remark", remark="false_alarm")
    assert "1 called false, 0 useful, 0 not judged" in client.get("/rules").get_data(as_text=True)
    assert "Saved." in post(client, "/rules/budget", a_week="2.5")
    assert 'value="2.50"' in client.get("/rules").get_data(as_text=True)
    assert "Number must be between" in post(client, "/rules/budget", a_week="0")
    assert measure_rules.refresh(own.site.services) == 1
    assert "0 alerts" in client.get("/rules").get_data(as_text=True)  # today is not over


def test_every_mention_of_what_is_too_rare_is_told_with_one_click(own: House) -> None:
    client, services = own.reader("analyst"), own.site.services
    changes.add(services.db, RULE, {"name": "Surges", "kind": "surge"}, viewer=SYSTEM)
    assert "Too rare for surges of hours" not in client.get("/rules").get_data(as_text=True)
    assert learn_baselines.refresh(services) > 0
    assert "Every mention of Larkspur Home" in client.get("/rules").get_data(as_text=True)
    text = post(client, "/rules/mentions", kind="entity", subject_id="1", only="negative")
    assert "Every bad word on Larkspur Home" in text
    assert "mentions are told" in text
    assert "tells of every mention of this already" in post(client, "/rules/mentions", kind="entity", subject_id="1")
    assert "no subject planet" in post(client, "/rules/mentions", kind="planet", subject_id="1")


def test_a_company_is_watched_from_the_page(house: House) -> None:
    client = house.reader("analyst")
    assert "at most 12" in post(client, "/market/entities", ticker="no good", name="X")
    assert "is watched from now on" in post(
        client, "/market/entities", ticker="nwhl", name="Northwharf", aliases="NW, "
    )
    assert "NWHL" in client.get("/market/entities").get_data(as_text=True)


def test_an_agent_may_not_change_rules(house: House) -> None:
    assert "Not allowed" in post(house.reader("agent"), "/rules/1/delete")
