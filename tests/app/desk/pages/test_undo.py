"""Every change of a macro or a routing rule offers its undo on the page, and takes it."""

from __future__ import annotations

import re

from app.answers.store import macros
from app.core.events import event_log
from app.core.jobs import job_queue
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import act_on_ticket, keep_queues, run_bulk_job
from app.desk.store import queues, routing_rule_rows, tickets
from tests.app.desk.pages.test_routing_page import FIELDS
from tests.app.page_house import House, post
from tests.app.site import csrf


def _undo(page: str) -> str:
    """Where the offered undo is sent."""
    found = re.search(r'action="(/admin/undo/\d+)"', page)
    assert found, page[-3000:]
    return found[1]


def test_macros_are_taken_back(house: House) -> None:
    client, db = house.reader(), house.site.services.db
    added = post(client, "/macros/new", name="Short", body="Hello", status="", route="", tags="")
    assert "Short" in [one.name for one in macros.every(db)]
    assert "Taken back." in post(client, _undo(added), next="/macros")
    assert "Short" not in [one.name for one in macros.every(db)]
    post(client, "/macros/new", name="Short", body="Hello", status="", route="", tags="")
    macro = next(one for one in macros.every(db) if one.name == "Short")
    changed = post(client, f"/macros/{macro.id}", name="Long", body="Hello there", status="", route="", tags="")
    post(client, _undo(changed))
    assert macros.get(db, macro.id).name == "Short"
    deleted = post(client, f"/macros/{macro.id}/delete")
    post(client, _undo(deleted))
    assert macros.get(db, macro.id).body == "Hello"
    # An offer that is taken a second time is answered with a sentence.
    assert "This was undone before." in post(client, _undo(deleted))


def test_rules_are_taken_back(house: House) -> None:
    client, db = house.reader(), house.site.services.db
    for name in ("One", "Two"):
        post(client, "/routing/new", name=name, **FIELDS)
    one, two = (next(rule for rule in routing_rule_rows.every(db) if rule.name == name) for name in ("One", "Two"))
    post(client, _undo(post(client, f"/routing/{two.id}/move", by="-1")), next="/routing")
    assert [rule.name for rule in routing_rule_rows.every(db)] == ["One", "Two"]
    post(client, _undo(post(client, f"/routing/{one.id}/switch", is_active="1")))
    assert not routing_rule_rows.get(db, one.id).is_active
    post(client, _undo(post(client, f"/routing/{one.id}", name="Other", **FIELDS)))
    assert routing_rule_rows.get(db, one.id).name == "One"
    post(client, _undo(post(client, f"/routing/{one.id}/delete")))
    assert [rule.name for rule in routing_rule_rows.every(db)] == ["One", "Two"]
    for rule in (one, two):
        post(client, f"/routing/{rule.id}/delete")


def test_trust_is_taken_back(house: House) -> None:
    client, services = house.reader(), house.site.services
    route = {"task": "banking_intent", "intent": "card_arrival"}
    keep_queues.set_route_rule(
        services, viewer=SYSTEM, task=route["task"], intent=route["intent"], queue_id=house.queues["cards"]
    )
    trusted = post(client, "/routing/trust", **route, is_trusted="1", least="0.9")
    rule = queues.route_rule(services.db, **route)
    assert rule is not None
    assert rule.is_trusted
    post(client, _undo(trusted))
    again = queues.route_rule(services.db, **route)
    assert again is not None
    assert not again.is_trusted


def test_what_was_done_long_ago_is_taken_back_from_the_audit(house: House) -> None:
    client, db = house.reader(), house.site.services.db
    post(client, "/macros/new", name="Gone", body="Hello", status="", route="", tags="")
    macro = next(one for one in macros.every(db) if one.name == "Gone")
    post(client, f"/macros/{macro.id}/delete")
    client.get("/tickets")
    audit = client.get("/admin/audit?noun=macro").get_data(as_text=True)
    assert "Taken back." in post(client, _undo(audit), next="/admin/audit?noun=macro")
    assert macros.get(db, macro.id).name == "Gone"
    assert "This was undone before." in post(client, _undo(audit))
    post(client, f"/macros/{macro.id}/delete")


def _ticket_offers(page: str) -> list[int]:
    """The events that the page offers to take back."""
    return [int(found) for found in re.findall(r'action="/undo/(\d+)"[^>]*>(?:(?!</form>).)*btn btn-sm', page)]


def test_a_button_undoes_its_own_ticket_whatever_others_and_another_tab_do_between(house: House) -> None:
    services, mine = house.site.services, house.reader()
    token = {"csrf_token": csrf(mine, "/account")}
    mine.post(f"/tickets/{house.stolen}/priority", data={**token, "priority": "low"})
    # A second tab of the same agent, another agent, and a job of many tickets, before the first tab shows its page.
    mine.post(f"/tickets/{house.unsure}/priority", data={**token, "priority": "high"})
    other = house.viewer("agent")
    for at in range(220):
        act_on_ticket.edit(services, house.script, viewer=other, changes={"subject": f"Order {at}"})
    order = run_bulk_job.order_of(TicketFilter(), action="set_priority", params={"priority": "urgent"})
    run_bulk_job.begin(services, order, viewer=house.viewer("admin"))
    assert job_queue.run_due(services) == 1
    offers = _ticket_offers(mine.get("/tickets").get_data(as_text=True))
    assert [event_log.get(services.db, one).noun_id for one in offers] == [house.stolen, house.unsure]
    # The job changed both since: the button says so, and undoes neither another ticket nor the job.
    page = post(mine, f"/undo/{offers[0]}", next="/tickets")
    assert "Something later depends" in page
    assert tickets.read(services.db, house.stolen).priority == "urgent"


def test_two_agents_take_back_what_each_of_them_did(house: House) -> None:
    services = house.site.services
    readers = {"admin": house.reader("admin"), "agent": house.reader("agent")}
    chosen = {"admin": (house.stolen, "low"), "agent": (house.unsure, "high")}
    before = {ticket: tickets.read(services.db, ticket).priority for ticket, _ in chosen.values()}
    for role, client in readers.items():
        ticket, priority = chosen[role]
        client.post(f"/tickets/{ticket}/priority", data={"csrf_token": csrf(client, "/account"), "priority": priority})
    for role, client in readers.items():
        (offer,) = _ticket_offers(client.get("/tickets").get_data(as_text=True))
        assert event_log.get(services.db, offer).noun_id == chosen[role][0]
        assert "Taken back." in post(client, f"/undo/{offer}", next="/tickets")
    assert {ticket: tickets.read(services.db, ticket).priority for ticket in before} == before
