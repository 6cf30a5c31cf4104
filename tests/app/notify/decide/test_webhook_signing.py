from __future__ import annotations

import base64

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.core import clock
from app.core.errors import InputError
from app.notify.decide.webhook_signing import new_secret, signed

BODY = '{"type":"alert.firing","subject":"兰"}'.encode()


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
