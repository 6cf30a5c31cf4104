from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from app.core.errors import InputError
from app.notify.decide.receiver_payloads import RESEND_MS, RESOLVED_RESEND_MS, prepare, resend_at, wants
from app.notify.domain.alert_facts import AlertFacts
from app.notify.domain.notification import Bulletin, Notification, Outgoing, Receiver, ReceiverKind
from tests.app.notify.decide.sample_facts import NOW, facts


def receiver(kind: ReceiverKind = "webhook", **changes: Any) -> Receiver:
    values: dict[str, Any] = {
        "id": 1,
        "name": "desk",
        "url": "https://desk.example/in",
        "secret": "whsec_c2VjcmV0c2VjcmV0",
    }
    return Receiver(kind=kind, **{**values, **changes})


def request(*given: Receiver, **options: Any) -> Outgoing:
    """What `prepare` makes, where it is a request."""
    found = prepare(*given, **options)
    assert isinstance(found, Outgoing)
    return found


def kept(*several: AlertFacts, **more: Any) -> dict[str, Any]:
    """What a notification keeps of alerts."""
    return {**more, "alerts": [asdict(one) for one in several]}


def notification(*, noun: str = "alert", verb: str = "firing", body: dict[str, Any] | None = None) -> Notification:
    return Notification(
        id=5,
        receiver_id=1,
        verb=verb,
        noun=noun,
        noun_id=3,
        dedup_key="msg_alr_3_firing",
        body=kept(facts()) if body is None else body,
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("kind", "verbs", "noun", "verb", "expected"),
    [
        ("webhook", (), "ticket", "created", True),
        ("webhook", ("alert.firing",), "alert", "firing", True),
        ("webhook", ("alert.firing",), "alert", "resolved", False),
        ("webhook", ("alert.*",), "alert", "acknowledged", True),
        ("webhook", ("alert.*",), "ticket", "created", False),
        ("alertmanager", (), "alert", "resolved", True),
        ("alertmanager", (), "alert", "acknowledged", False),
        ("alertmanager", ("ticket.*",), "ticket", "created", False),
        ("alertmanager_api", (), "alert", "firing", True),
        ("alertmanager_api", (), "ticket", "created", False),
        ("apprise", (), "alert", "resolved", True),
        ("apprise", (), "ticket", "created", False),
    ],
)
def test_who_wants_what(kind: ReceiverKind, verbs: tuple[str, ...], noun: str, verb: str, expected: bool) -> None:
    assert wants(receiver(kind, verbs=verbs), noun=noun, verb=verb) == expected
    assert not wants(receiver(kind, verbs=verbs, is_active=False), noun=noun, verb=verb)


def test_every_attempt_sends_the_same_bytes_under_the_same_id() -> None:
    first, second = (
        request(receiver(), notification=notification(), at_s=at_s, base_url="https://b.example") for at_s in (10, 99)
    )
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_alr_3_firing"
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.url == "https://desk.example/in"


def test_a_webhook_hears_of_an_alert_in_the_readers_language() -> None:
    body = json.loads(request(receiver(), notification=notification(), at_s=1, locale="zh").body)
    assert body["type"] == "alert.firing"
    assert body["data"]["alert"]["summary"].startswith("Larkspur：近 24 小时内")


def test_an_alertmanager_gets_its_own_shape() -> None:
    body = json.loads(request(receiver("alertmanager"), notification=notification(), at_s=1).body)
    assert (body["version"], body["receiver"], body["alerts"][0]["status"]) == ("4", "desk", "firing")


@pytest.mark.parametrize(("noun", "verb"), [("ticket", "created"), ("alert", "acknowledged")])
def test_other_events_go_out_as_they_were_kept(noun: str, verb: str) -> None:
    said = {"type": f"{noun}.{verb}", "timestamp": "…", "data": {"text": "兰"}}
    outgoing = request(receiver(), notification=notification(noun=noun, verb=verb, body=said), at_s=1)
    assert json.loads(outgoing.body) == said
    assert "兰".encode() in outgoing.body


@pytest.mark.parametrize(
    ("kind", "noun", "verb"),
    [
        ("apprise", "alert", "acknowledged"),
        ("alertmanager_api", "model", "deployed"),
        ("alertmanager", "ticket", "created"),
    ],
)
def test_what_a_kind_cannot_tell_is_refused(kind: ReceiverKind, noun: str, verb: str) -> None:
    with pytest.raises(InputError) as caught:
        prepare(receiver(kind), notification=notification(noun=noun, verb=verb), at_s=1)
    assert caught.value.code == "receiver_cannot_tell"


def test_a_prometheus_alertmanager_is_fed_and_told_again_until_it_is_over() -> None:
    feeder = receiver("alertmanager_api", url="http://am.example:9093/")
    outgoing = request(feeder, notification=notification(), at_s=NOW // 1000, base_url="https://b.example")
    (alert,) = json.loads(outgoing.body)
    assert outgoing.url == "http://am.example:9093/api/v2/alerts"
    assert sorted(alert) == ["annotations", "endsAt", "generatorURL", "labels", "startsAt"]
    assert alert["endsAt"] > alert["startsAt"]
    firing, over = notification(), notification(verb="resolved")
    assert resend_at(feeder, notification=firing, is_open=True, ended_at=NOW, now=NOW) == NOW + RESEND_MS
    assert resend_at(feeder, notification=firing, is_open=False, ended_at=NOW, now=NOW) is None
    later = NOW + RESEND_MS
    assert resend_at(feeder, notification=over, is_open=False, ended_at=NOW, now=later) == later + RESEND_MS
    assert resend_at(feeder, notification=over, is_open=False, ended_at=NOW, now=NOW + RESOLVED_RESEND_MS) is None
    assert resend_at(receiver(), notification=firing, is_open=True, ended_at=NOW, now=NOW) is None


def test_a_group_goes_out_as_one_message() -> None:
    both = kept(facts(), facts(subject="Cobalt", alert_id=4), kind="firing")
    body = json.loads(request(receiver("alertmanager"), notification=notification(body=both), at_s=1).body)
    assert (len(body["alerts"]), body["title"]) == (2, "[FIRING:2] Larkspur, Cobalt")
    assert "entity" not in body["commonLabels"]
    event = json.loads(request(receiver(), notification=notification(body=both), at_s=1).body)
    assert [one["subject"] for one in event["data"]["alerts"]] == ["Larkspur", "Cobalt"]
    assert event["data"]["alert"]["subject"] == "Larkspur"


@pytest.mark.parametrize(
    ("kind", "locale", "title"),
    [
        ("firing", "en", "[FIRING] Larkspur"),
        ("repeat", "en", "Still: [FIRING] Larkspur"),
        ("escalation", "zh", "尚无人确认：[触发] Larkspur"),
    ],
)
def test_a_letter_is_written_for_people(kind: str, locale: str, title: str) -> None:
    told = notification(body=kept(facts(), kind=kind))
    found = prepare(receiver("apprise", locale=locale), notification=told, at_s=1, base_url="https://b.example")
    assert isinstance(found, Bulletin)
    assert (found.title, found.is_bad) == (title, True)
    assert "– Lamps recalled" in found.text
    assert found.text.endswith("https://b.example/alerts/alr_3")


def test_a_digest_names_every_alert_with_its_time() -> None:
    body = kept(facts(), facts(state="resolved", reason="cleared", resolved_at=NOW), since=NOW - 1)
    told = notification(noun="digest", verb="daily", body=body)
    found = prepare(receiver("apprise", zone="Asia/Shanghai"), notification=told, at_s=1)
    assert isinstance(found, Bulletin)
    assert found.title.startswith("2 alerts since 20")
    assert "still firing" in found.text


@pytest.mark.parametrize("kind", ["webhook", "alertmanager", "alertmanager_api", "apprise"])
def test_a_test_message_alarms_nobody(kind: ReceiverKind) -> None:
    found = prepare(receiver(kind), notification=notification(noun="receiver", verb="test", body={}), at_s=1)
    if isinstance(found, Bulletin):
        assert not found.is_bad
    else:
        assert b"firing" not in found.body
