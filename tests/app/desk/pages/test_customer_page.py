"""A customer's page, and erasing a customer from it."""

from __future__ import annotations

from pathlib import Path

from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from tests.app.page_house import SCRIPT, House, make_house, post


def test_a_customer_in_one_place(house: House) -> None:
    agent = house.reader("agent")
    ticket = file_ticket.show(house.site.services, house.script, viewer=SYSTEM).ticket
    page = agent.get(f"/customers/{ticket.customer_id}").get_data(as_text=True)
    assert f"/tickets/{house.script}" in page
    assert SCRIPT not in page
    assert "Erase" not in page, "agents erase nobody"
    assert f'href="/customers/{ticket.customer_id}"' in agent.get(f"/tickets/{house.script}").get_data(as_text=True)
    assert agent.get("/customers/4711").status_code == 404
    assert house.reader("analyst").get(f"/customers/{ticket.customer_id}").status_code == 403


def test_erasing(tmp_path: Path) -> None:
    own = make_house(tmp_path)
    draft = TicketDraft(
        subject="Lamp", body="the lamp", channel="email", customer_email="kim@example.org", queue="shop"
    )
    ticket = file_ticket.receive(own.site.services, draft, viewer=SYSTEM).ticket
    path = f"/customers/{ticket.customer_id}"
    assert post(own.reader("agent"), f"{path}/erase").count("permission") > 0
    page = post(own.reader("admin"), f"{path}/erase")
    assert "Erased, with 1 ticket of theirs." in page
    assert "kim@example.org" not in page
    assert own.reader("agent").get(f"/tickets/{ticket.id}").status_code == 200
    own.site.app.extensions["bellwether"].close()
