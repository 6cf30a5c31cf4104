from __future__ import annotations

import json
from string import Formatter
from typing import Any

import pytest

from app.alerts.decide.alert_facts import alert_facts
from app.alerts.domain.alert import Alert, Rule
from app.core.durations import DAY_MS, HOUR_MS
from app.core.events.event import Event
from app.notify.decide.sentences import (
    NEVER,
    SENTENCES,
    alert_body,
    alert_event_body,
    alert_summary,
    alert_title,
    duration,
    event_body,
    rfc3339,
    sentence,
)

NOW = 1_770_001_200_000
OBSERVED = {
    "n_posts": 80,
    "n_stories": 48,
    "n_scored": 46,
    "n_negative": 21,
    "share": 21 / 46,
    "baseline_share": 0.22,
    "baseline_n": 400,
    "expected_negative": 10.12,
    "threshold_share": 0.4,
    "window_ms": DAY_MS,
}
RULE = Rule(id=4, name="Bad news")


def facts(*, subject: str = "Larkspur", reason: str = "fired", **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": 3,
        "rule_id": 4,
        "subject_kind": "entity",
        "subject_id": "1",
        "state": "firing",
        "severity": "warning",
        "since_at": NOW,
        "started_at": NOW - HOUR_MS,
        "firing_at": NOW,
        "observed": OBSERVED,
        "model": "bellwether@1.0",
    }
    alert = Alert(**{**values, **changes})
    return alert_facts(
        alert, rule=RULE, subject=subject, reason=reason, stories=["Lamps recalled", "b", "c", "d", "e", "f"]
    )


OVER: dict[str, Any] = {"state": "resolved", "resolved_at": NOW + 3 * DAY_MS}


def test_every_language_has_every_sentence_with_the_same_parameters() -> None:
    def parameters(language: str) -> dict[str, set[str | None]]:
        return {
            code: {field for _, field, _, _ in Formatter().parse(text) if field is not None}
            for code, text in SENTENCES[language].items()
        }

    assert parameters("zh") == parameters("en")


@pytest.mark.parametrize(
    ("locale", "expected"), [("en", "2 days"), ("zh_Hans_CN", "2 天"), ("zh-CN", "2 天"), ("xx", "2 days")]
)
def test_a_locale_that_is_not_known_reads_english(locale: str, expected: str) -> None:
    assert sentence("days", locale=locale, n=2) == expected


@pytest.mark.parametrize(
    ("length_ms", "expected"),
    [
        (0, "1 minute"),
        (90_000, "2 minutes"),
        (HOUR_MS, "1 hour"),
        (DAY_MS, "24 hours"),
        (2 * DAY_MS, "2 days"),
        (3 * DAY_MS + HOUR_MS, "3 days"),
    ],
)
def test_durations(length_ms: int, expected: str) -> None:
    assert duration(length_ms) == expected


@pytest.mark.parametrize(
    ("given_facts", "locale", "expected"),
    [
        (facts(), "en", "Larkspur: 46% negative (21 of 46 stories) in 24 hours, usually 22%"),
        (facts(), "zh", "Larkspur：近 24 小时内 46 条报道中有 21 条负面（46%），平时为 22%"),
        (
            facts(observed={**OBSERVED, "baseline_share": None}),
            "en",
            "Larkspur: 46% negative (21 of 46 stories) in 24 hours; too few earlier stories to say what is usual",
        ),
        (facts(**OVER), "en", "Larkspur: bad news is back to usual after 3 days"),
        (facts(**OVER), "zh", "Larkspur：负面报道已恢复常态，历时 3 天"),
        (facts(**OVER, reason="rule_off"), "en", "Larkspur: closed after 3 days, because the rule was switched off"),
        (
            facts(subject="", subject_kind="market", subject_id="all"),
            "zh",
            "整个市场：近 24 小时内 46 条报道中有 21 条负面（46%），平时为 22%",
        ),
    ],
)
def test_an_alert_in_a_sentence(given_facts: dict[str, Any], locale: str, expected: str) -> None:
    assert alert_summary(given_facts, locale=locale) == expected


def test_titles() -> None:
    assert alert_title(facts()) == "[FIRING] Larkspur"
    assert alert_title(facts(**OVER), locale="zh") == "[解除] Larkspur"


def test_what_is_kept_is_json_without_a_sentence() -> None:
    kept = facts()
    assert json.loads(json.dumps(kept)) == kept
    assert len(kept["stories"]) == 5
    assert "negative (" not in json.dumps(kept)


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
