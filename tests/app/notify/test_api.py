"""Receivers through the API: secrets stay secret, routes are checked, a test message is a row with its attempts."""

from __future__ import annotations

from typing import Any

import pytest

from app.notify.flows import deliver_notifications
from app.notify.store import receivers
from tests.app.site import Site

ROUTE: dict[str, Any] = {
    "name": "Desk",
    "kind": "webhook",
    "url": "https://hooks.example/in",
    "matchers": [{"name": "sector", "op": "=", "value": "Banks"}],
    "repeat_ms": 3_600_000,
    "quiet_from": 1320,
    "quiet_until": 420,
    "zone": "Europe/Berlin",
}


def test_a_receiver_is_made_changed_tried_and_removed(site: Site) -> None:
    api = site.caller("admin")
    made = api("POST", "/api/v1/receivers", json=ROUTE)
    assert made.status_code == 201, made.json
    assert made.json["secret"].startswith("whsec_")
    path = f"/api/v1/receivers/{made.json['id']}"
    shown = api("GET", path)
    assert "secret" not in shown.json
    assert (shown.json["matchers"], shown.json["zone"]) == (ROUTE["matchers"], "Europe/Berlin")
    changed = api("PATCH", path, json={"digest_at": None, "escalate_ms": 60_000}, headers={"If-Match": '"1"'})
    assert changed.json["escalate_ms"] == 60_000
    assert api("PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    tried = api("POST", f"{path}/test")
    assert (tried.status_code, tried.json["type"]) == (202, "receiver.test")
    assert api("POST", f"/api/v1/notifications/{tried.json['id']}/send-again").status_code == 409
    deliver_notifications.deliver_due(site.services)
    (attempt,) = api("GET", f"/api/v1/notifications/{tried.json['id']}/attempts").json["data"]
    assert not attempt["is_delivered"]
    assert [one["type"] for one in api("GET", f"{path}/notifications").json["data"]] == ["receiver.test"]
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404


def test_the_secrets_of_an_apprise_address_are_starred(site: Site) -> None:
    api = site.caller("admin")
    made = api(
        "POST",
        "/api/v1/receivers",
        json={"name": "Mail", "kind": "apprise", "url": "mailtos://ann:hunter2@example.com", "digest_at": 480},
    )
    assert made.status_code == 201, made.json
    assert "hunter2" not in api("GET", f"/api/v1/receivers/{made.json['id']}").get_data(as_text=True)
    assert "hunter2" not in api("GET", "/api/v1/events?after=evt_0").get_data(as_text=True)
    api("DELETE", f"/api/v1/receivers/{made.json['id']}")


SECRET = "TIiajkdnlazkcOXrIdevi7FQ"


@pytest.mark.parametrize(
    ("kind", "url", "shown"),
    [
        ("webhook", f"https://hooks.slack.com/services/T0/{SECRET}", "https://hooks.slack.com/…"),
        ("webhook", f"https://discord.com/api/webhooks/41/{SECRET}?wait=1", "https://discord.com/…"),
        ("alertmanager", f"https://example.webhook.office.com/x?sig={SECRET}", "https://example.webhook.office.com/…"),
        ("alertmanager_api", f"http://alertmanager:9093/{SECRET}", "http://alertmanager:9093/…"),
        ("apprise", f"jsons://hooks.example/services/{SECRET}?-key={SECRET}", "jsons://hooks.example/…"),
        ("apprise", f"discord://4174216298/{SECRET}?thread={SECRET}", "discord://4...8/T...Q/"),
    ],
)
def test_the_secret_in_a_webhooks_path_is_nowhere_shown(site: Site, kind: str, url: str, shown: str) -> None:
    api, client = site.caller("admin"), site.signed_in("admin")
    start = api("GET", "/api/v1/events").json["meta"]["after_cursor"]
    made = api("POST", "/api/v1/receivers", json={"name": "Chat", "kind": kind, "url": url})
    path = f"/api/v1/receivers/{made.json['id']}"
    assert made.json["url"] == shown
    api("POST", f"{path}/test")
    deliver_notifications.deliver_due(site.services)
    # Who sends back what was shown keeps the address.
    assert api("PATCH", path, json={"name": "Room", "url": shown}).status_code == 200
    number = int(made.json["id"].removeprefix("rcv_"))
    assert receivers.get(site.services.db, number).url == url
    for place in (path, "/api/v1/receivers", f"{path}/notifications", f"/api/v1/events?after={start}"):
        assert SECRET not in api("GET", place).get_data(as_text=True)
    for page in ("/receivers", f"/receivers/{number}", "/admin/audit"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert SECRET not in answer.get_data(as_text=True)
    api("DELETE", path)


@pytest.mark.parametrize(
    ("kind", "url", "sentence"),
    [
        ("webhook", 'http://x/"><', "cannot hold the character"),
        ("apprise", 'json://x/"><', "cannot hold the character"),
        ("alertmanager", "http://a..b/", "No machine can be called"),
        ("alertmanager_api", "https://ann:pw@example.com/", "Leave the user name"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_its_reason(site: Site, kind: str, url: str, sentence: str) -> None:
    answer = site.caller("admin")("POST", "/api/v1/receivers", json={"name": "Chat", "kind": kind, "url": url})
    assert answer.status_code == 422
    assert sentence in answer.get_json(force=True)["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"url": "ftp://x.example"}, "/url"),
        ({"kind": "apprise", "url": "nonsense://x"}, "/url"),
        ({"kind": "apprise", "url": "syslog://"}, "/url"),
        ({"kind": "apprise", "url": "json://x.example/?template=/etc/passwd"}, "/url"),
        ({"matchers": [{"name": "colour", "value": "red"}]}, "/matchers/0/name"),
        ({"zone": "Mars/North"}, "/zone"),
        ({"quiet_from": 1440}, "/quiet_from"),
        ({"digest_at": 5}, "/digest_at"),
        ({"group_by": "mood"}, "/group_by"),
    ],
)
def test_a_route_that_makes_no_sense_is_told(site: Site, changes: dict[str, Any], pointer: str) -> None:
    answer = site.caller("admin")("POST", "/api/v1/receivers", json=ROUTE | changes)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


def test_analysts_see_receivers_and_change_none(site: Site) -> None:
    api = site.caller("alerts:write", role="analyst")
    assert api("GET", "/api/v1/receivers").status_code == 200
    assert api("POST", "/api/v1/receivers", json=ROUTE).status_code == 403
