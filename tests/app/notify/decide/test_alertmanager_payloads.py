"""Alertmanager's shapes: an alert is one and the same while it fires and when it ends."""

from __future__ import annotations

from app.notify.decide.alertmanager_payloads import NEVER, alert_body
from tests.app.notify.decide.sample_facts import OVER, facts


def test_the_alertmanager_body_of_a_firing_alert() -> None:
    body = alert_body(facts(), receiver="desk", base_url="https://bell.example")
    assert body["version"] == "4"
    assert body["status"] == body["alerts"][0]["status"] == "firing"
    assert body["groupKey"] == '{}:{entity="Larkspur"}'
    assert body["commonLabels"] == {"alertname": "Bad news", "entity": "Larkspur", "severity": "warning"}
    assert body["notification_reason"] == "first notification"
    (item,) = body["alerts"]
    assert (item["startsAt"], item["endsAt"]) == ("2026-02-02T03:00:00Z", NEVER)
    assert item["generatorURL"] == "https://bell.example/alerts/alr_3"
    assert item["annotations"]["observed_negative"] == "21"
    assert item["annotations"]["baseline_share"] == "0.22"
    assert item["annotations"]["window"] == "24h"
    assert item["annotations"]["top_story"] == "Lamps recalled"
    assert all(isinstance(value, str) for value in item["annotations"].values())


def test_firing_and_resolved_are_the_same_alert_to_a_receiver() -> None:
    firing = alert_body(facts(), receiver="desk", base_url="")
    resolved = alert_body(facts(**OVER), receiver="desk", base_url="")
    assert firing["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
    assert firing["alerts"][0]["labels"] == resolved["alerts"][0]["labels"]
    assert (resolved["status"], resolved["state"]) == ("resolved", "ok")
    assert resolved["alerts"][0]["endsAt"] == "2026-02-05T03:00:00Z"
    other = alert_body(facts(subject="Cobalt"), receiver="desk", base_url="")
    assert other["alerts"][0]["fingerprint"] != firing["alerts"][0]["fingerprint"]
