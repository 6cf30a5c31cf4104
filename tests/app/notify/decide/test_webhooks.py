from __future__ import annotations

import base64

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.core import clock
from app.core.durations import HOUR_MS
from app.core.errors import InputError
from app.notify.decide.webhooks import SCHEDULE_MS, new_secret, retry_at, signed

BODY = '{"type":"alert.firing","subject":"兰"}'.encode()
NOW = 1_770_001_200_000


def test_a_receiver_can_check_the_signature() -> None:
    secret = new_secret()
    headers = signed(BODY, secret=secret, message_id="msg_1", at_s=clock.now_ms() // 1000)
    assert Webhook(secret).verify(BODY, headers) == {"type": "alert.firing", "subject": "兰"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


def test_the_signature_of_the_standards_own_example() -> None:
    headers = signed(
        b'{"test": 2432232314}',
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at_s=1614265330,
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_are_two_signatures_while_they_are_rotated() -> None:
    old, new = new_secret(), new_secret()
    headers = signed(BODY, secret=f"{new} {old}", message_id="msg_1", at_s=clock.now_ms() // 1000)
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)


def test_without_a_secret_there_is_no_signature() -> None:
    assert signed(BODY, secret="", message_id="msg_1", at_s=5) == {"webhook-id": "msg_1", "webhook-timestamp": "5"}


@pytest.mark.parametrize("secret", ["whsec_", "whsec_é", "whsec_a"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(InputError) as caught:
        signed(BODY, secret=secret, message_id="msg_1", at_s=5)
    assert caught.value.code == "bad_secret"


def test_secrets_are_long_and_never_the_same() -> None:
    one, two = new_secret(), new_secret()
    assert one != two
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 24


@pytest.mark.parametrize(
    ("n_attempts", "wait_ms"),
    [(0, 0), (1, 5_000), (2, 300_000), (3, 1_800_000), (4, 2 * HOUR_MS), (8, 20 * HOUR_MS), (9, 24 * HOUR_MS)],
)
def test_the_schedule(n_attempts: int, wait_ms: int) -> None:
    assert retry_at(n_attempts, now=NOW, jitter=0.0) == NOW + wait_ms
    assert retry_at(n_attempts, now=NOW, jitter=1.0) == NOW + wait_ms + wait_ms // 10


def test_after_the_last_attempt_it_has_failed() -> None:
    assert retry_at(len(SCHEDULE_MS), now=NOW, jitter=0.0) is None
    assert retry_at(99, now=NOW, jitter=0.0, retry_after_ms=5) is None


@pytest.mark.parametrize(
    ("retry_after_ms", "wait_ms"), [(None, 5_000), (1_000, 5_000), (60_000, 60_000), (99 * HOUR_MS, 24 * HOUR_MS)]
)
def test_what_the_receiver_asks_for_is_waited_for(retry_after_ms: int | None, wait_ms: int) -> None:
    assert retry_at(1, now=NOW, jitter=0.0, retry_after_ms=retry_after_ms) == NOW + wait_ms
