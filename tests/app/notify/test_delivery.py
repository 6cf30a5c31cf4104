"""What became of a reply's mail stands beside it: waiting, sent, refused, tried again; on the page and in the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import clock
from app.core.permissions import SYSTEM
from app.desk.flows.act_on_ticket import RECALL_MS
from app.desk.flows.mail import keep_mailboxes, send_mail
from tests.app.page_house import House, make_house, post
from tests.mail_servers import Taken, smtp_server


@pytest.fixture
def taken() -> Iterator[Taken]:
    """A mail server that takes everything."""
    with smtp_server() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, taken: Taken) -> Iterator[House]:
    """A house whose shop sends through that server."""
    made = make_house(tmp_path, is_fetching_private=True)
    keep_mailboxes.add_mailbox(
        made.site.services,
        {
            "address": "help@desk.example",
            "name": "Help",
            "queue_id": made.queues["shop"],
            "smtp_host": "127.0.0.1",
            "smtp_port": taken.port,
            "smtp_security": "none",
        },
        viewer=SYSTEM,
    )
    yield made
    made.site.app.extensions["bellwether"].close()


def _send(house: House) -> None:
    """What the worker does once a reply can be called back no more."""
    send_mail.send_due(house.site.services, now=clock.now_ms() + RECALL_MS)


def test_a_reply_is_followed_until_it_is_sent(house: House, taken: Taken) -> None:
    client, path = house.reader(), f"/tickets/{house.unsure}"
    waiting = post(client, f"{path}/reply", body="Which one do you mean?", action="reply")
    assert "waits to be sent" in waiting
    _send(house)
    assert 'class="delivery delivery-sent"' in client.get(path).get_data(as_text=True)
    assert taken.recipients == ["ana@example.com"]
    call = house.site.caller("tickets:read")
    messages = call("GET", f"/api/v1{path}").get_json()["messages"]
    assert messages[0]["delivery"] is None
    told = messages[-1]["delivery"]
    assert (told["state"], told["recipient"], told["error"]) == ("sent", "ana@example.com", None)
    assert told["sent_at"]


def test_a_refused_reply_says_so_and_is_sent_again(house: House, taken: Taken) -> None:
    client, path = house.reader(), f"/tickets/{house.unsure}"
    taken.answer = lambda _: "550 No such user"
    post(client, f"{path}/reply", body="Which one do you mean?", action="reply")
    _send(house)
    refused = client.get(path).get_data(as_text=True)
    assert "could not be sent: the other side refused it for good" in refused
    again = re.search(rf'action="({path}/letters/\d+/again)"', refused)
    assert again
    taken.answer = lambda _: "250 OK"
    assert "The reply is sent once more." in post(client, again[1])
    # What is under way already is not queued twice.
    assert "delivery-waiting" in post(client, again[1])
    _send(house)
    assert len(taken.mails) == 1
    assert "delivery-sent" in client.get(path).get_data(as_text=True)


def test_a_server_that_is_away_is_told_with_the_number_of_attempts(house: House, taken: Taken) -> None:
    client, path = house.reader(), f"/tickets/{house.unsure}"
    taken.answer = lambda _: "451 Come again later"
    post(client, f"{path}/reply", body="Which one do you mean?", action="reply")
    _send(house)
    shown = client.get(path).get_data(as_text=True)
    assert "waits to be sent: the other side asked to come again later (tried 1 time)" in " ".join(shown.split())
