from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.notification import Notification, Receiver, ReceiverKind
from app.errors import InputError
from app.notify.receivers import prepare, wants
from tests.app.notify.test_messages import NOW, facts


def receiver(kind: ReceiverKind = "webhook", **changes: Any) -> Receiver:
    values: dict[str, Any] = {
        "id": 1,
        "name": "desk",
        "url": "https://desk.example/in",
        "secret": "whsec_c2VjcmV0c2VjcmV0",
    }
    return Receiver(kind=kind, **{**values, **changes})


def notification(*, noun: str = "alert", verb: str = "firing", body: dict[str, Any] | None = None) -> Notification:
    return Notification(
        id=5,
        receiver_id=1,
        verb=verb,
        noun=noun,
        noun_id=3,
        dedup_key="msg_alr_3_firing",
        body=facts() if body is None else body,
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
        ("mail", (), "alert", "firing", False),
    ],
)
def test_who_wants_what(kind: ReceiverKind, verbs: tuple[str, ...], noun: str, verb: str, expected: bool) -> None:
    assert wants(receiver(kind, verbs=verbs), noun=noun, verb=verb) == expected
    assert not wants(receiver(kind, verbs=verbs, is_active=False), noun=noun, verb=verb)


def test_every_attempt_sends_the_same_bytes_under_the_same_id() -> None:
    first, second = (
        prepare(receiver(), notification=notification(), at_s=at_s, base_url="https://b.example") for at_s in (10, 99)
    )
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_alr_3_firing"
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.url == "https://desk.example/in"


def test_a_webhook_hears_of_an_alert_in_the_readers_language() -> None:
    body = json.loads(prepare(receiver(), notification=notification(), at_s=1, locale="zh").body)
    assert body["type"] == "alert.firing"
    assert body["data"]["alert"]["summary"].startswith("Larkspur：近 24 小时内")


def test_an_alertmanager_gets_its_own_shape() -> None:
    body = json.loads(prepare(receiver("alertmanager"), notification=notification(), at_s=1).body)
    assert (body["version"], body["receiver"], body["alerts"][0]["status"]) == ("4", "desk", "firing")


@pytest.mark.parametrize(("noun", "verb"), [("ticket", "created"), ("alert", "acknowledged")])
def test_other_events_go_out_as_they_were_kept(noun: str, verb: str) -> None:
    kept = {"type": f"{noun}.{verb}", "timestamp": "…", "data": {"text": "兰"}}
    outgoing = prepare(receiver(), notification=notification(noun=noun, verb=verb, body=kept), at_s=1)
    assert json.loads(outgoing.body) == kept
    assert "兰".encode() in outgoing.body


@pytest.mark.parametrize(
    ("kind", "noun", "verb"),
    [("apprise", "alert", "firing"), ("mail", "alert", "firing"), ("alertmanager", "ticket", "created")],
)
def test_what_a_kind_cannot_tell_is_refused(kind: ReceiverKind, noun: str, verb: str) -> None:
    with pytest.raises(InputError) as caught:
        prepare(receiver(kind), notification=notification(noun=noun, verb=verb), at_s=1)
    assert caught.value.code == "receiver_cannot_tell"
