"""Standard Webhooks: the bodies of alerts and of other events."""

from __future__ import annotations

from app.core.events.event import Event
from app.notify.decide.webhook_payloads import alert_event_body, event_body, rfc3339
from tests.app.notify.decide.sample_facts import NOW, facts


def test_the_webhook_body_of_an_alert() -> None:
    body = alert_event_body(facts(), verb="firing", at=NOW, base_url="https://bell.example", locale="en")
    assert (body["type"], body["timestamp"]) == ("alert.firing", "2026-02-02T03:00:00Z")
    alert = body["data"]["alert"]
    assert (alert["id"], alert["url"]) == ("alr_3", "https://bell.example/alerts/alr_3")
    assert (alert["firing_at"], alert["resolved_at"]) == ("2026-02-02T03:00:00Z", None)
    assert alert["summary"].startswith("Larkspur: 46% negative")
    assert body["data"]["changed_by"] == {"type": "rule", "id": "rul_4"}


def test_the_webhook_body_of_an_event() -> None:
    event = Event(
        actor_kind="model",
        actor_id="bellwether@1.0",
        verb="triaged",
        noun="ticket",
        noun_id=81,
        before={"queue": None},
        at=NOW,
    )
    assert event_body(event, data={"ticket": {"id": "tkt_81"}}) == {
        "type": "ticket.triaged",
        "timestamp": "2026-02-02T03:00:00Z",
        "data": {
            "ticket": {"id": "tkt_81"},
            "changed_by": {"type": "model", "id": "bellwether@1.0"},
            "previous": {"queue": None},
        },
    }


def test_times_are_rfc_3339() -> None:
    assert rfc3339(NOW + 999) == "2026-02-02T03:00:00Z"
