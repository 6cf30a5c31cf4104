"""Routing rules written, tried and switched on; the trust switch; who may do it."""

from __future__ import annotations

from app.core.permissions import SYSTEM
from app.desk.flows import keep_queues, keep_routing_rules
from app.desk.store import queues
from app.desk.store import routing_rule_rows as rows
from tests.app.page_house import SCRIPT, House, post

FIELDS = {
    "field-0": "intent",
    "operator-0": "is",
    "value-0": "lost_or_stolen_card",
    "field-1": "text",
    "operator-1": "contains",
    "value-1": "",
    "route": "shop",
    "set_priority": "urgent",
    "add_tag": "stolen",
    "is_stop": "1",
}


def test_a_rule_is_written_tried_and_switched_on(house: House) -> None:
    client = house.reader()
    tried = post(client, "/routing/new", name=f"Stolen {SCRIPT}", **FIELDS)
    assert "Saved. This is what it would have done so far." in tried
    assert "would have met it" in tried
    assert SCRIPT not in tried
    assert f'href="/tickets/{house.stolen}"' in tried
    (rule,) = rows.every(house.site.services.db)
    assert (rule.is_active, len(rule.conditions), len(rule.actions)) == (False, 1, 3)
    assert "is on." in post(client, f"/routing/{rule.id}/switch", is_active="1")
    assert rows.get(house.site.services.db, rule.id).is_active
    assert "is off." in post(client, f"/routing/{rule.id}/switch")
    post(client, f"/routing/{rule.id}/move", by="-1")
    post(client, f"/routing/{rule.id}/delete")
    assert rows.every(house.site.services.db) == ()


def test_a_rule_that_matches_itself_is_answered_with_a_sentence(house: House) -> None:
    fields = {**FIELDS, "field-0": "queue", "value-0": "shop"}
    told = post(house.reader(), "/routing/new", name="Round and round", **fields)
    assert "it would match its own work for ever" in told
    assert 'value="Round and round"' in told
    assert rows.every(house.site.services.db) == ()


def test_trust_is_shown_and_switched_per_intent(house: House) -> None:
    client, services = house.reader(), house.site.services
    route = {"task": "banking_intent", "intent": "lost_or_stolen_card"}
    keep_queues.set_route_rule(
        services,
        viewer=SYSTEM,
        task="banking_intent",
        intent="lost_or_stolen_card",
        queue_id=house.queues["cards"],
    )
    shown = client.get("/routing/trust?precision=90").get_data(as_text=True)
    assert "Lost or stolen card" in shown
    assert "of all tickets would be routed without a person" in shown
    assert "shadow" in shown
    told = post(client, "/routing/trust", least="0.9", is_trusted="1", **route)
    assert "“Lost or stolen card” is routed by the model now." in told
    assert "routes from 90 %" in told
    assert "“a lot” is not a value" in post(client, "/routing/trust", least="a lot", is_trusted="1", **route)
    assert "back in the shadow" in post(client, "/routing/trust", **route)
    kept = queues.route_rule(services.db, **route)
    assert kept is not None
    assert not kept.is_trusted


def test_agents_read_what_administrators_write(house: House) -> None:
    agent, analyst = house.reader("agent"), house.reader("analyst")
    for path in ("/routing", "/routing/trust"):
        assert agent.get(path).status_code == 200
        assert analyst.get(path).status_code == 403
    assert agent.get("/routing/new").status_code == 403


def test_the_api_has_the_same(house: House) -> None:
    api = house.site.caller("admin")
    made = api(
        "POST",
        "/api/v1/routing-rules",
        json={
            "name": "By API",
            "conditions": [{"field": "sentiment", "operator": "is", "value": "negative"}],
            "actions": [{"type": "add_tag", "value": "angry"}],
        },
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    path = f"/api/v1/routing-rules/{made.get_json()['id']}"
    tried = api("GET", f"{path}/simulation?n=50").get_json()
    assert (tried["n_moved"], tried["n_hit"] > 0) == (0, True)
    assert api("PATCH", path, json={"is_active": True}).get_json()["is_active"]
    broken = {"conditions": [{"field": "text", "operator": "is", "value": "x"}]}
    assert api("PATCH", path, json=broken).status_code == 422
    assert api("DELETE", path).status_code == 204
    assert api("GET", path + "/simulation").status_code == 404
    trust = api("GET", "/api/v1/routing-trust?precision=0.9").get_json()
    assert trust["n"] > 0
    refused = api("PATCH", "/api/v1/routing-trust/banking_intent/no_such", json={"is_trusted": True})
    assert refused.status_code == 404
    assert keep_routing_rules.trust_report(house.site.services, precision=0.9).n == trust["n"]
