"""Dashboards of the market: the address is the dashboard, and it can be kept under a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.views import saved_view_rows
from tests.app.page_house import SCRIPT, House, make_house, post

CHOICE = "days=7&s=entity%3ALKSP&s=topic%3Aearnings&s=feed%3Awire&s=market"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A house of one's own."""
    made = make_house(tmp_path)
    yield made
    made.site.app.extensions["bellwether"].close()


def test_the_subjects_of_the_address_stand_side_by_side(own: House) -> None:
    client = own.reader("analyst")
    assert "Nothing is chosen yet" in client.get("/market/dashboard").get_data(as_text=True)
    text = client.get(f"/market/dashboard?{CHOICE}").get_data(as_text=True)
    assert text.count('<svg class="plot"') == 8
    assert text.count("The same as a table") == 4
    assert "Larkspur Home: 100 % negative" in text
    assert text.count("checked") == 4
    assert SCRIPT not in client.get("/market/dashboard?s=entity:EVIL").get_data(as_text=True)
    gone = client.get("/market/dashboard?s=entity:GONE&s=market&s=planet:1").get_data(as_text=True)
    assert "2 subjects of this dashboard are gone" in gone


def test_a_dashboard_is_saved_shared_and_removed_and_is_no_view_of_the_inbox(own: House) -> None:
    analyst, admin, services = own.reader("analyst"), own.reader("admin"), own.site.services
    text = post(analyst, "/market/dashboards", name="Mornings", query=f"{CHOICE}&s=market&evil=1", is_shared="1")
    assert "The dashboard “Mornings” is saved." in text
    (view,) = saved_view_rows.every(services.db, viewer=own.viewer("admin"), place="market")
    assert (view.query, view.is_shared) == (CHOICE, True)
    assert "<h1>Mornings</h1>" in admin.get(f"/market/dashboard?{view.query}").get_data(as_text=True)
    assert "Mornings" not in admin.get("/tickets").get_data(as_text=True)
    assert "already" in post(analyst, "/market/dashboards", name="Mornings", query="s=market")
    assert "The dashboard is removed." in post(admin, f"/market/dashboards/{view.id}/remove")
    assert saved_view_rows.every(services.db, viewer=own.viewer("admin"), place="market") == ()


def test_a_dashboard_of_ones_own_is_nobody_elses(own: House) -> None:
    post(own.reader("analyst"), "/market/dashboards", name="Mine", query="s=market")
    admin = own.reader("admin")
    assert "Mine" not in admin.get("/market/dashboard").get_data(as_text=True)
    assert admin.post("/market/dashboards/1/remove").status_code in (400, 403, 404)
    assert "Not allowed" in post(own.reader("agent"), "/market/dashboards", name="x", query="s=market")
