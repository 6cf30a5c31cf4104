"""The page of rules: an analyst takes back exactly what they changed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.alerts.flows.keep_rules import RULE
from app.core import changes
from app.core.permissions import SYSTEM
from tests.app.page_house import House, make_house, post


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = make_house(tmp_path_factory.mktemp("rules"))
    yield made
    made.site.app.extensions["bellwether"].close()


def test_an_analyst_takes_the_removal_of_a_rule_back(house: House) -> None:
    client, db = house.reader("analyst"), house.site.services.db
    rule = changes.add(db, RULE, {"name": "Spare", "share": 0.7}, viewer=SYSTEM).row
    page = post(client, f"/rules/{rule.id}/delete")
    assert "The rule is deleted." in page
    undo = re.search(r'action="(/admin/undo/\d+)"', page)
    assert undo is not None
    assert "Not allowed" in post(house.reader("agent"), undo[1])
    assert "Taken back." in post(client, undo[1])
    assert RULE.read(db, rule.id) == rule
