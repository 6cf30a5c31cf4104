"""Every change of a macro or a routing rule offers its undo on the page, and takes it."""

from __future__ import annotations

import re

from app.answers.store import macros
from app.core.permissions import SYSTEM
from app.desk.flows import keep_queues
from app.desk.store import queues, routing_rule_rows
from tests.app.desk.pages.test_routing_page import FIELDS
from tests.app.page_house import House, post


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
    assert "Something later depends" in post(client, _undo(deleted))


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
    assert "Something later depends" in post(client, _undo(audit))
    post(client, f"/macros/{macro.id}/delete")
