"""Changing many tickets without JavaScript: choose, count, confirm, watch, take back."""

from __future__ import annotations

import re

import pytest

from app.core.jobs import job_queue
from app.desk.store import tickets
from tests.app.page_house import House, make_house, post


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house of its own, because bulk changes everything."""
    return make_house(tmp_path_factory.mktemp("bulk"))


def test_a_change_of_many_is_counted_confirmed_done_and_undone(house: House) -> None:
    agent, services = house.reader("agent"), house.site.services
    inbox = agent.get("/tickets").get_data(as_text=True)
    link = re.search(r'href="(/tickets/bulk[^"]*)"', inbox)
    assert link
    chosen = agent.get(link[1]).get_data(as_text=True)
    assert "3 tickets fit the filter." in chosen
    counted = agent.get("/tickets/bulk?do=set_status&to=pending&leave_out=%23" + str(house.unsure)).get_data(
        as_text=True
    )
    assert "This is done to 2 tickets." in counted
    page = post(agent, "/tickets/bulk", do="set_status", to="pending", leave_out=str(house.unsure))
    assert "Waiting for the worker." in page
    assert 'http-equiv="refresh"' in page
    job_queue.run_due(services)
    job = agent.get("/tickets/bulk/1").get_data(as_text=True)
    assert "Undo this change of 2 tickets" in job
    assert 'http-equiv="refresh"' not in job
    assert tickets.read(services.db, house.stolen).status == "pending"
    assert tickets.read(services.db, house.unsure).status != "pending"
    assert "being taken back" in post(agent, "/tickets/bulk/1/undo")
    job_queue.run_due(services)
    assert tickets.read(services.db, house.stolen).status == "new"
    assert "This change was taken back." in agent.get("/tickets/bulk/1").get_data(as_text=True)
    assert "This was undone before." in post(agent, "/tickets/bulk/1/undo")


@pytest.mark.parametrize(
    "query", ["do=set_status&to=lost", "do=burn&to=1", "do=assign&to=99999", "do=correct&to=x/y", "do=route&to=x"]
)
def test_what_cannot_be_done_is_a_sentence_and_a_form(house: House, query: str) -> None:
    answer = house.reader("agent").get("/tickets/bulk?" + query)
    assert answer.status_code in (404, 422, 424)
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert "What to do" in answer.get_data(as_text=True)


def test_somebody_elses_job_is_not_shown(house: House) -> None:
    assert house.reader("analyst").get("/tickets/bulk/1").status_code == 403
    assert house.reader("admin").get("/tickets/bulk/1").status_code == 200
    assert house.reader("agent").get("/tickets/bulk/999").status_code == 404
