"""Saved views: a name for an address, one's own or everybody's, each reader with their own sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.views import saved_view_rows
from tests.app.page_house import House, make_house, post


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own: views are seen on every inbox."""
    made = make_house(tmp_path_factory.mktemp("views"))
    yield made
    made.site.app.extensions["bellwether"].close()


def test_a_view_is_saved_counted_shown_and_removed(house: House) -> None:
    agent, admin = house.reader("agent"), house.reader("admin")
    page = post(agent, "/views", name="  Angry   cards ", query="sentiment=negative&after=x&evil=1&status=all")
    assert "The view “Angry cards” is saved." in page
    (view,) = saved_view_rows.every(house.site.services.db, viewer=house.viewer("agent"))
    assert (view.name, view.query, view.is_shared) == ("Angry cards", "sentiment=negative&status=all", False)
    here = agent.get("/tickets?" + view.query).get_data(as_text=True)
    assert "Angry cards" in here
    assert "Angry cards" not in admin.get("/tickets").get_data(as_text=True)
    assert admin.post(f"/views/{view.id}/remove").status_code in (400, 403, 404)
    assert "The view is removed." in post(agent, f"/views/{view.id}/remove")
    assert saved_view_rows.every(house.site.services.db, viewer=house.viewer("agent")) == ()


def test_a_shared_view_is_everybodys_and_its_owners_or_an_admins_to_remove(house: House) -> None:
    post(house.reader("admin"), "/views", name="Everything", query="status=all", is_shared="1")
    agent = house.reader("agent")
    inbox = agent.get("/tickets").get_data(as_text=True)
    assert 'href="/tickets?status=all"' in inbox
    (view,) = saved_view_rows.every(house.site.services.db, viewer=house.viewer("agent"))
    assert f"/views/{view.id}/remove" not in inbox
    assert "permission" in post(agent, f"/views/{view.id}/remove")
    assert len(saved_view_rows.every(house.site.services.db, viewer=house.viewer("agent"))) == 1
    post(house.reader("admin"), f"/views/{view.id}/remove")
    assert saved_view_rows.every(house.site.services.db, viewer=house.viewer("agent")) == ()


@pytest.mark.parametrize(("name", "sentence"), [("", "empty"), ("x" * 61, "too long"), ("Twice", "already")])
def test_a_name_is_needed_short_and_ones_own_only_once(house: House, name: str, sentence: str) -> None:
    agent = house.reader("agent")
    post(agent, "/views", name="Twice", query="status=all")
    assert sentence in post(agent, "/views", name=name, query="status=new")
    names = [view.name for view in saved_view_rows.every(house.site.services.db, viewer=house.viewer("agent"))]
    assert names == ["Twice"]


def test_scripts_in_a_name_are_text(house: House) -> None:
    page = post(house.reader("admin"), "/views", name="<script>x</script>", query="q=%3Cscript%3E")
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
