"""The pages of receivers: added with a route, tried out, and every attempt shown."""

from __future__ import annotations

from app.notify.flows import deliver_notifications
from app.notify.store import receivers
from tests.app.page_house import House, post

FORM = {
    "name": "Night desk",
    "kind": "webhook",
    "url": "https://hooks.example/in",
    "matchers": 'severity =~ "warning|critical"',
    "group_by": "sector",
    "group_wait_seconds": "30",
    "repeat_hours": "4",
    "escalate_minutes": "0",
    "quiet_from": "22:30",
    "quiet_until": "07:00",
    "digest_at": "",
    "zone": "Europe/Berlin",
    "locale": "zh",
    "is_active": "y",
    "verbs": "",
}


def test_a_receiver_is_added_tried_out_and_removed(house: House) -> None:
    client = house.reader("admin")
    page = post(client, "/receivers/new", **FORM)
    assert "whsec_" in page
    (made,) = receivers.every(house.site.services.db)
    assert (made.quiet_from, made.quiet_until, made.group_by, made.locale) == (22 * 60 + 30, 7 * 60, "sector", "zh")
    assert "whsec_" not in client.get(f"/receivers/{made.id}").get_data(as_text=True)
    assert "on its way" in post(client, f"/receivers/{made.id}/test")
    deliver_notifications.deliver_due(house.site.services)
    page = client.get(f"/receivers/{made.id}").get_data(as_text=True)
    assert "receiver.test" in page
    assert "next attempt" in page
    changed = post(client, f"/receivers/{made.id}", **{**FORM, "url": "", "escalate_minutes": "15"})
    assert "Saved." in changed
    kept = receivers.get(house.site.services.db, made.id)
    assert (kept.url, kept.escalate_ms) == (FORM["url"], 15 * 60_000)
    assert "is no matcher" in post(client, f"/receivers/{made.id}", **{**FORM, "matchers": "colour = red"})
    assert "22:30" in post(client, f"/receivers/{made.id}", **{**FORM, "quiet_from": "25:00"})
    assert "Night desk" in client.get("/receivers").get_data(as_text=True)
    assert house.reader("analyst").get("/receivers/new").status_code == 403
    assert "is removed" in post(client, f"/receivers/{made.id}/delete")


def test_an_alert_is_judged_and_a_missed_one_reported(house: House) -> None:
    client = house.reader("analyst")
    assert "called: false alarm" in post(client, f"/alerts/{house.alert}/remark", remark="false_alarm")
    assert "Noted" in post(client, "/alerts/missed/entity/1", hours="6", comment="the strike")
    assert "few words" in post(client, "/alerts/missed/entity/1", hours="6", comment="")
    assert client.get("/alerts/missed/planet/1").status_code in (404, 405)
