"""The budget of the dashboard, and how often its rules were wrong, over the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.alerts.flows import learn_baselines
from app.alerts.flows.keep_rules import RULE
from app.core import changes
from app.core.permissions import SYSTEM
from tests.app.page_house import House, make_house


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A house of one's own, with an alert that fires."""
    made = make_house(tmp_path)
    yield made
    made.site.app.extensions["bellwether"].close()


def test_what_is_allowed_stands_beside_what_was_measured(own: House) -> None:
    api = own.site.caller("admin")
    changes.add(own.site.services.db, RULE, {"name": "Surges", "kind": "surge", "budget": 4.0}, viewer=SYSTEM)
    api("POST", f"/api/v1/alerts/{own.alert}/remark", json={"remark": "false_alarm"})
    found = api("GET", "/api/v1/alarm-budget").get_json()
    assert found["budget"] == {"a_week": 1.0, "version": 1}
    assert [(one["rule"], one["allowed"], one["measured"]["n_false"]) for one in found["rules"]] == [
        ("rul_1", None, 1),
        ("rul_2", 1.0, 0),
    ]
    assert (found["whole"]["low"], found["whole"]["high"], found["backtest_a_week"]) == (1.0, 1.0, None)


def test_the_budget_is_changed_by_who_may_and_not_over_anothers_change(own: House) -> None:
    api = own.site.caller("admin")
    changed = api("PATCH", "/api/v1/alarm-budget", json={"a_week": 2.5}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.get_json()) == (200, {"a_week": 2.5, "version": 2})
    assert api("PATCH", "/api/v1/alarm-budget", json={"a_week": 3}, headers={"If-Match": '"1"'}).status_code == 412
    assert api("PATCH", "/api/v1/alarm-budget", json={"a_week": 0}).status_code == 422
    assert own.site.caller("alerts:read")("PATCH", "/api/v1/alarm-budget", json={"a_week": 9}).status_code == 403


def test_what_is_too_rare_is_listed(own: House) -> None:
    changes.add(own.site.services.db, RULE, {"name": "Surges", "kind": "surge"}, viewer=SYSTEM)
    learn_baselines.refresh(own.site.services)
    (found,) = own.site.caller("admin")("GET", "/api/v1/rare-subjects").get_json()["data"]
    assert (found["subject_kind"], found["subject_id"], found["is_mention_watched"]) == ("entity", "1", False)
    assert found["stories_a_day"] < 2
