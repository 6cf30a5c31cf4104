"""Replies as mail, handed to a real SMTP server: threaded, recallable, sent at least once, told when they return."""

from __future__ import annotations

import datetime
import logging
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core import changes, clock
from app.core.durations import HOUR_MS
from app.core.errors import InputError, NotFound
from app.core.events import event_log
from app.core.outgoing import calls
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import Ticket
from app.desk.flows import act_on_ticket, file_ticket
from app.desk.flows.act_on_ticket import RECALL_MS
from app.desk.flows.mail import keep_mailboxes, send_mail
from app.desk.flows.mail.keep_mailboxes import MAILBOX
from app.desk.sources.ticket_drafts import from_eml
from app.desk.store import mailboxes as boxes
from app.desk.store import messages, outbox
from app.notify.domain.letter import Mailbox, OutboxRow
from tests.app.conftest import Desk
from tests.mail_servers import PASSWORD, Taken, only_with, smtp_server

QUESTION = b"""From: Ana Costa <ana@example.org>
To: help@desk.example
Subject: Where is my refund?
Message-ID: <q1@example.org>
Date: Mon, 02 Mar 2026 09:00:00 +0000

I want my refund, order 12.
"""


@pytest.fixture
def taken() -> Iterator[Taken]:
    """A mail server that takes everything."""
    with smtp_server() as server:
        yield server


@pytest.fixture
def local(services: Services) -> Services:
    """Services that may call this machine."""
    services.policy = replace(services.policy, is_fetching_private=True)
    return services


def mailbox(services: Services, desk: Desk, *, port: int, password: str = "", **values: Any) -> Mailbox:
    """A mailbox of the intake that sends through a local port."""
    given: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", **values}
    return keep_mailboxes.add_mailbox(
        services,
        {"address": "help@desk.example", "name": "Help desk", "queue_id": desk.intake, **given},
        viewer=desk.admin,
        password=password,
    ).row


def asked(services: Services, raw: bytes = QUESTION) -> Ticket:
    """A ticket that came as mail."""
    return file_ticket.receive(services, from_eml(raw, max_attachment_bytes=1000), viewer=SYSTEM).ticket


def answered(services: Services, desk: Desk, *, body: str = "It is on its way.") -> OutboxRow:
    """The letter of a reply to a new ticket."""
    ticket = asked(services)
    act_on_ticket.reply(services, ticket.id, viewer=desk.shop_agent, body=body)
    said = messages.of_ticket(services.db, ticket.id)[-1]
    return outbox.of_messages(services.db, [said.id])[said.id]


def later(ms: int = RECALL_MS) -> int:
    return clock.now_ms() + ms


def test_a_reply_goes_out_threaded_after_the_time_to_recall_it(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    row = answered(local, people, body="It is on its way.\nSchöne Grüße")
    assert send_mail.send_due(local) == 0, "within ten seconds nothing goes out"
    assert send_mail.send_due(local, now=later()) == 1
    mail = taken.mails[0]
    assert (mail["To"], taken.recipients) == ("Ana Costa <ana@example.org>", ["ana@example.org"])
    assert mail["From"] == "Help desk <help@desk.example>"
    assert (mail["Subject"], mail["In-Reply-To"]) == ("Re: Where is my refund?", "<q1@example.org>")
    assert mail["References"] == "<q1@example.org>"
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode() == "It is on its way.\r\nSchöne Grüße\r\n"
    assert outbox.get(local.db, row.id).state == "sent"
    assert send_mail.send_due(local, now=later(HOUR_MS)) == 0, "what was sent is not sent again"


def test_the_answer_to_a_reply_joins_the_ticket(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    row = answered(local, people)
    send_mail.send_due(local, now=later())
    reply_id = str(taken.mails[0]["Message-ID"])
    answer = f"From: ana@example.org\r\nIn-Reply-To: {reply_id}\r\nMessage-ID: <q2@x>\r\n\r\nThanks, got it\r\n"
    assert asked(local, answer.encode()).id == row.ticket_id


def test_a_reply_that_was_called_back_never_goes_out(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    row = answered(local, people)
    said = [event for event in event_log.of(local.db, "ticket", row.ticket_id) if event.verb == "replied"]
    changes.undo(local, said[-1].id, viewer=people.shop_agent)
    assert send_mail.send_due(local, now=later(HOUR_MS)) == 0
    with local.db.transaction() as tx:
        assert not outbox.claim(tx, row.id, now=later(HOUR_MS), until=later(2 * HOUR_MS))
    assert taken.mails == []


def test_two_workers_send_a_letter_once(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    row = answered(local, people)
    now = later()
    with local.db.transaction() as tx:
        assert outbox.claim(tx, row.id, now=now, until=now + send_mail.LEASE_MS)
    assert send_mail.send_due(local, now=now) == 0
    # The first worker died: after its lease the letter is sent by another, with the same Message-ID.
    assert send_mail.send_due(local, now=now + send_mail.LEASE_MS) == 1


def test_a_put_off_letter_is_the_same_mail_when_it_is_tried_again(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    taken.answer = lambda n: "451 Come again later" if n == 1 else "250 OK"
    row = answered(local, people)
    rfc_id = messages.get(local.db, row.message_id).message_id
    send_mail.send_due(local, now=later())
    waiting = outbox.get(local.db, row.id)
    assert (waiting.state, waiting.last_error, waiting.n_attempts) == ("waiting", "put_off", 1)
    send_mail.send_due(local, now=waiting.next_at)
    tries = outbox.attempts(local.db, row.id)
    assert [(one.is_delivered, one.error) for one in tries] == [(False, "put_off"), (True, None)]
    assert tries[0].said == "451 Come again later"
    assert taken.mails[0]["Message-ID"] == f"<{rfc_id}>"


def test_a_refused_letter_fails_and_the_ticket_tells(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    taken.answer = lambda _: "550 No such user"
    row = answered(local, people)
    send_mail.send_due(local, now=later())
    assert outbox.get(local.db, row.id).state == "failed"
    told = event_log.of(local.db, "ticket", row.ticket_id)[-1]
    assert (told.verb, told.after["error"]) == ("mail_failed", "refused")
    taken.answer = lambda _: "250 OK"
    send_mail.send_again(local, row.id, viewer=people.shop_agent)
    assert send_mail.send_due(local, now=later()) == 1
    with pytest.raises(NotFound):
        # The ticket moved to a queue of the shop's; the other team can do nothing with its letters.
        send_mail.send_again(local, row.id, viewer=people.card_agent)


def test_a_server_that_is_away_is_tried_again(local: Services, people: Desk) -> None:
    with smtp_server() as gone:
        port = gone.port
    mailbox(local, people, port=port)
    row = answered(local, people)
    send_mail.send_due(local, now=later())
    assert (outbox.get(local.db, row.id).state, outbox.get(local.db, row.id).last_error) == ("waiting", "unreachable")


def test_private_servers_are_refused_unless_allowed(services: Services, people: Desk, taken: Taken) -> None:
    mailbox(services, people, port=taken.port)
    row = answered(services, people)
    send_mail.send_due(services, now=later())
    assert outbox.get(services.db, row.id).last_error == "not_public"
    assert taken.n_attempts == 0


BOUNCE = """From: MAILER-DAEMON@mx.example
To: help@desk.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <b1@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I am sorry to have to tell you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ana@example.org
Action: {action}
Status: {status}

--B
Content-Type: message/rfc822

From: help@desk.example
Message-ID: {rfc_id}
Subject: Re: Where is my refund?

It is on its way.
--B--
"""


@pytest.mark.parametrize(
    ("action", "status", "state", "stands"),
    [("failed", "5.1.1", "bounced", "open"), ("delayed", "4.4.1", "sent", "pending")],
)
def test_a_letter_that_comes_back(
    local: Services, people: Desk, taken: Taken, action: str, status: str, state: str, stands: str
) -> None:
    mailbox(local, people, port=taken.port)
    row = answered(local, people)
    act_on_ticket.edit(local, row.ticket_id, viewer=people.admin, changes={"status": "pending"})
    send_mail.send_due(local, now=later())
    raw = BOUNCE.format(action=action, status=status, rfc_id=taken.mails[0]["Message-ID"]).encode()
    ticket = asked(local, raw)
    assert (ticket.id, ticket.status) == (row.ticket_id, stands)
    assert outbox.get(local.db, row.id).state == state
    verbs = [event.verb for event in event_log.of(local.db, "ticket", ticket.id)]
    assert ("bounced" in verbs) == (state == "bounced")


def test_nothing_goes_out_for_a_chat_or_without_a_mailbox(local: Services, people: Desk) -> None:
    ticket = asked(local)
    act_on_ticket.reply(local, ticket.id, viewer=people.shop_agent, body="Hello")
    said = messages.of_ticket(local.db, ticket.id)[-1]
    assert outbox.of_messages(local.db, [said.id]) == {}


def test_no_text_of_a_customer_becomes_a_header(local: Services, people: Desk, taken: Taken) -> None:
    mailbox(local, people, port=taken.port)
    raw = QUESTION.replace(b"Where is my refund?", b"=?utf-8?q?Refund=0D=0ABcc:_all=40example.org?=")
    ticket = asked(local, raw)
    act_on_ticket.reply(local, ticket.id, viewer=people.shop_agent, body="Hello")
    send_mail.send_due(local, now=later())
    assert taken.mails[0]["Bcc"] is None
    assert taken.recipients == ["ana@example.org"]


def test_a_password_is_sealed_and_never_logged(
    local: Services, people: Desk, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with smtp_server(
        auth_required=True, auth_require_tls=False, authenticator=only_with("desk", "another one")
    ) as strict:
        box = mailbox(local, people, port=strict.port, username="desk", password=PASSWORD)
        row = answered(local, people)
        send_mail.send_due(local, now=later())
    assert outbox.get(local.db, row.id).last_error == "sign_in_refused"
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(boxes.get(local.db, box.id))
    assert PASSWORD.encode() not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert (tmp_path / "mail_key").stat().st_mode & 0o77 == 0
    # A copy of the database alone does not open the mailbox: the letter waits until the password is typed again.
    (tmp_path / "mail_key").unlink()
    waiting = outbox.get(local.db, row.id)
    send_mail.send_due(local, now=waiting.next_at)
    assert outbox.get(local.db, row.id).last_error == "secret_unreadable"


def test_encrypted_and_signed_in(
    local: Services, people: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, trusted = _certificate(tmp_path)
    monkeypatch.setattr(calls, "tls_context", lambda: trusted)
    account = {"auth_required": True, "authenticator": only_with("desk", PASSWORD)}
    for security, options in (
        ("starttls", {"tls_context": certificate, "require_starttls": True}),
        ("tls", {"ssl_context": certificate, "auth_require_tls": False}),
    ):
        with smtp_server(**account, **options) as server:
            box = mailbox(
                local, people, port=server.port, smtp_host="localhost", smtp_security=security, username="desk",
                password=PASSWORD,
            )  # fmt: skip
            ticket = asked(local, QUESTION.replace(b"<q1@", f"<{security}@".encode()))
            act_on_ticket.reply(local, ticket.id, viewer=people.shop_agent, body="Hello")
            assert send_mail.send_due(local, now=later()) == 1, security
            with local.db.transaction() as tx:
                tx.change("mailbox", box.id, changes={"address": f"{security}@desk.example", "is_active": False})


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for localhost, as the server shows it and as the client trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"smtp_host": "mail.example.com", "smtp_security": "none"}, "not_encrypted"),
        ({"smtp_host": ""}, "no_way"),
        ({"smtp_security": "rot13"}, "unknown_value"),
        ({"uid_validity": 3}, "unknown_field"),
    ],
)
def test_a_mailbox_that_cannot_work_is_refused(
    services: Services, people: Desk, values: dict[str, Any], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        mailbox(services, people, port=25, **values)
    assert caught.value.code == code


def test_history_of_a_mailbox_holds_no_secret(services: Services, people: Desk) -> None:
    box = mailbox(services, people, port=25, username="desk", password=PASSWORD)
    changed = keep_mailboxes.change_mailbox(
        services, box.id, {"name": "Desk"}, viewer=people.admin, password="another"
    ).row
    assert (changed.name, changed.secret == box.secret) == ("Desk", False)
    told = event_log.of(services.db, "mailbox", box.id)
    assert [event.verb for event in told] == ["created", "edited"]
    assert told[1].after == {"name": "Desk", "is_secret_changed": True}
    changes.remove(services.db, MAILBOX, box.id, viewer=people.admin)
    assert boxes.every(services.db) == ()
