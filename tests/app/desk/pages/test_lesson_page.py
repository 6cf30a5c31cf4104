"""The teach page: one doubtful ticket at a time, confirmed, corrected, skipped, undone; who may do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from app.desk.store import tickets as rows
from tests.app.page_house import SCRIPT, House, make_house, post


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An untouched house: what is asked depends on what was answered."""
    made = make_house(tmp_path)
    yield made
    made.site.app.extensions["bellwether"].close()


def _question(page: str) -> str:
    found = re.search(r'action="/teach/(\d+)"', page)
    assert found, page[-3000:]
    return found[1]


def test_the_doubtful_ticket_is_asked_about_confirmed_and_undone(house: House) -> None:
    client = house.reader()
    page = client.get("/teach").get_data(as_text=True)
    assert f'href="/tickets/{house.unsure}"' in page
    assert page.index('data-key="1"') < page.index("Something else")
    told = post(client, f"/teach/{_question(page)}", label="track_order")
    assert f"#{house.unsure}: corrected to “Track an order”." in told
    assert rows.read(house.site.services.db, house.unsure).intent_source == "agent"
    undo = re.search(r'action="(/undo/\d+)"', told)
    assert undo
    assert "Taken back." in post(client, undo[1], next="/teach")
    assert rows.read(house.site.services.db, house.unsure).intent_source == "model"


def test_the_models_guess_is_confirmed(house: House) -> None:
    client = house.reader()
    page = client.get("/teach").get_data(as_text=True)
    guess = re.search(r'name="label" value="([^"]+)" data-key="1"', page)
    assert guess
    told = post(client, f"/teach/{_question(page)}", label=guess[1])
    assert "confirmed, “" in told
    assert "right in 1 of 1: 100" in told
    assert "19 more answers are needed." in told


def test_skipping_goes_on_and_can_be_taken_up_again(house: House) -> None:
    client = house.reader()
    seen = set()
    page = client.get("/teach").get_data(as_text=True)
    while 'data-key="1"' in page:
        question = _question(page)
        assert question not in seen
        seen.add(question)
        page = post(client, f"/teach/{question}/skip")
    assert len(seen) == 3
    assert "Nothing to ask" in page
    assert _question(post(client, "/teach/skipped")) in seen


def test_faults_are_sentences_and_texts_are_escaped(house: House) -> None:
    client = house.reader()
    draft = TicketDraft(subject=SCRIPT, body=f"hmm {SCRIPT}", channel="api", queue="shop")
    file_ticket.receive(house.site.services, draft, viewer=SYSTEM)
    page = client.get("/teach").get_data(as_text=True)
    assert SCRIPT not in page
    assert "nonsense" in post(client, f"/teach/{_question(page)}", label="nonsense")
    assert client.get("/teach?more=1").status_code == 200


def test_who_is_slower_is_told(house: House) -> None:
    first, second = house.reader("admin"), house.reader("agent")
    question = _question(first.get("/teach").get_data(as_text=True))
    post(first, f"/teach/{question}", label="track_order")
    assert "Somebody else has judged this ticket meanwhile" in post(second, f"/teach/{question}", label="get_refund")


def test_analysts_do_not_teach(house: House) -> None:
    analyst = house.reader("analyst")
    assert analyst.get("/teach").status_code == 403
    assert "/teach" not in analyst.get("/").get_data(as_text=True)


def test_the_api_asks_and_is_answered(house: House) -> None:
    call = house.site.caller("tickets:read", "tickets:write")
    lesson = call("GET", "/api/v1/teaching").get_json()
    assert (lesson["n_goal"], lesson["n_answered"], len(lesson["questions"])) == (20, 0, 3)
    question = lesson["questions"][0]
    assert question["ticket"] == f"tkt_{house.unsure}"
    path = f"/api/v1/teaching/{question['prediction']['id']}"
    made = call("POST", path, json={"label": "complaint"})
    assert (made.status_code, made.get_json()["label"]) == (201, "complaint")
    assert call("GET", "/api/v1/teaching").get_json()["payoffs"][0]["n_right"] == 0
    assert call("POST", path, json={"label": "rubbish"}).status_code == 422
    assert house.site.caller("tickets:read")("GET", "/api/v1/teaching").status_code == 403
