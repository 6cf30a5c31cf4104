"""Mailboxes read from a real IMAP server (dovecot): everything once, nothing lost, robots recognised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from app import clock
from app.domain.mail import Mailbox
from app.domain.people import SYSTEM
from app.domain.series import HOUR_MS
from app.domain.ticket import TicketFilter
from app.pipeline import arrivals, mailboxes
from app.pipeline.services import Services
from app.store import customers, messages, tickets
from app.store import inbox as tickets_in
from app.store import mailboxes as boxes
from app.store import quarantine as quarantined
from tests.app.pipeline.conftest import Desk
from tests.mail_servers import PASSWORD, Dovecot, dovecot

_LOOKS = count(1)
MAIL = """From: {sender}
To: help@desk.example
Subject: {subject}
Message-ID: <{number}@example.org>
{extra}

I want my refund, order {number}.
"""


def mail(number: int, *, sender: str = "ana@example.org", subject: str = "Refund", extra: str = "X-Plain: 1") -> bytes:
    return MAIL.format(number=number, sender=sender, subject=subject, extra=extra).replace("\n", "\r\n").encode()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    """One server for these tests; each empties its mailbox first."""
    with dovecot() as running:
        yield running


@pytest.fixture
def inbox(server: Dovecot) -> Dovecot:
    """The server with an empty mailbox."""
    for file in [*(server.maildir / "new").iterdir(), *(server.maildir / "cur").iterdir()]:
        file.unlink()
    server.renumber()
    return server


@pytest.fixture
def local(services: Services) -> Services:
    """Services that may call this machine."""
    services.policy = replace(services.policy, is_fetching_private=True)
    return services


def box(services: Services, desk: Desk, server: Dovecot, **values: Any) -> Mailbox:
    """The mailbox, read from its beginning."""
    given: dict[str, Any] = {
        "imap_host": "127.0.0.1",
        "imap_port": server.port,
        "imap_security": "none",
        "is_reading_old": True,
    }
    return mailboxes.add_mailbox(
        services,
        viewer=desk.admin,
        address="help@desk.example",
        queue_id=desk.intake,
        username="desk",
        password=PASSWORD,
        **{**given, **values},
    )


def look(services: Services) -> int:
    """Look into every mailbox, two hours after the last look."""
    return mailboxes.poll_due(services, now=clock.now_ms() + next(_LOOKS) * 2 * HOUR_MS)


def subjects(services: Services) -> list[str]:
    return [ticket.subject for ticket in tickets_in.each(services.db, TicketFilter(), viewer=SYSTEM)]


def test_new_mail_becomes_tickets_once(local: Services, people: Desk, inbox: Dovecot) -> None:
    made = box(local, people, inbox)
    inbox.deliver(mail(1, subject="First"), name="1")
    inbox.deliver(mail(2, subject="Second"), name="2")
    assert look(local) == 2
    assert look(local) == 0
    inbox.deliver(mail(3, subject="Third"), name="3")
    assert look(local) == 1
    assert subjects(local) == ["First", "Second", "Third"]
    known = boxes.get(local.db, made.id)
    assert (known.last_uid, known.last_error) == (3, None)
    assert tickets.read(local.db, 1).mailbox_id == made.id


def test_mail_that_was_there_before_stays_out_unless_asked_for(local: Services, people: Desk, inbox: Dovecot) -> None:
    inbox.deliver(mail(1, subject="Last year"), name="1")
    box(local, people, inbox, is_reading_old=False)
    assert look(local) == 0
    inbox.deliver(mail(2, subject="Today"), name="2")
    look(local)
    assert subjects(local) == ["Today"]


def test_a_crash_before_the_mail_was_noted_reads_it_again_and_keeps_it_once(
    local: Services, people: Desk, inbox: Dovecot
) -> None:
    made = box(local, people, inbox)
    inbox.deliver(mail(1), name="1")
    look(local)
    with local.db.transaction() as tx:
        boxes.note_read(tx, made.id, uid_validity=boxes.get(local.db, made.id).uid_validity or 0, last_uid=0)
    assert look(local) == 1
    assert len(subjects(local)) == 1


def test_a_mailbox_numbered_anew_is_read_again_and_nothing_doubles(
    local: Services, people: Desk, inbox: Dovecot
) -> None:
    made = box(local, people, inbox)
    inbox.deliver(mail(1), name="1")
    look(local)
    with local.db.transaction() as tx:
        boxes.note_read(tx, made.id, uid_validity=7, last_uid=900)
    inbox.deliver(mail(2, subject="After the move"), name="2")
    assert look(local) == 2
    assert subjects(local) == ["Refund", "After the move"]


def test_threads_and_robots(local: Services, people: Desk, inbox: Dovecot) -> None:
    box(local, people, inbox)
    inbox.deliver(mail(1), name="1")
    look(local)
    with local.db.transaction() as tx:
        tickets.update(tx, 1, changes={"status": "pending"})
    away = "In-Reply-To: <1@example.org>\nAuto-Submitted: auto-replied"
    inbox.deliver(mail(2, subject="Out of office", extra=away), name="2")
    look(local)
    assert tickets.read(local.db, 1).status == "pending", "an automatic answer wakes no ticket"
    inbox.deliver(mail(3, extra="References: <0@x> <1@example.org>"), name="3")
    look(local)
    assert (tickets.read(local.db, 1).status, tickets.read(local.db, 1).n_messages) == ("open", 3)
    inbox.deliver(mail(4, subject="News", sender="list@x.org", extra="List-Id: <news.x.org>"), name="4")
    inbox.deliver(mail(5, subject="Ours", sender="help@desk.example"), name="5")
    look(local)
    assert [messages.is_pending(local.db, number) for number in (4, 5)] == [False, False]
    assert [tickets.read(local.db, number).intent for number in (2, 3)] == [None, None], "nobody reads robots"


def test_a_sender_who_writes_like_a_robot_opens_no_more_tickets(
    local: Services, people: Desk, inbox: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MOST_AN_HOUR", 3)
    box(local, people, inbox)
    for number in range(6):
        inbox.deliver(mail(number, subject=f"Loop {number}"), name=str(number))
    assert look(local) == 6
    assert subjects(local) == ["Loop 0", "Loop 1", "Loop 2"]
    sender = customers.find_by_email(local.db, "ana@example.org")
    assert sender is not None
    assert messages.count_from(local.db, sender.id, since=0) == 6, "nothing is lost"


def test_what_cannot_be_read_is_told_and_holds_nothing_up(local: Services, people: Desk, inbox: Dovecot) -> None:
    local.policy = replace(local.policy, max_mail_bytes=3000)
    made = box(local, people, inbox)
    crowd = "Cc: " + ", ".join(f"a{n}@x.org" for n in range(150))
    inbox.deliver(mail(1, extra=crowd), name="1")
    inbox.deliver(mail(2) + b"x" * 4000, name="2")
    inbox.deliver(b"\x00\xff garbage without headers", name="3")
    inbox.deliver(mail(4, subject="Fine", extra='Content-Type: multipart/mixed; boundary="nowhere"'), name="4")
    assert look(local) == 4
    held = quarantined.of_mailbox(local.db, made.id, limit=9)
    assert [one.code for one in reversed(held)] == ["too_many_recipients", "too_large", "not_a_mail"]
    assert (held[-1].params, held[-1].is_whole, held[1].is_whole) == ({"size": 151, "limit": 100}, True, False)
    assert subjects(local) == ["Fine"]


def test_a_wrong_password_and_a_missing_folder_are_told_and_tried_less_often(
    local: Services, people: Desk, inbox: Dovecot, caplog: pytest.LogCaptureFixture
) -> None:
    made = box(local, people, inbox)
    mailboxes.change_mailbox(local, made.id, viewer=people.admin, changes={}, password="wrong one")
    look(local)
    told = boxes.get(local.db, made.id)
    assert (told.last_error, told.n_failures) == ("sign_in_refused", 1)
    assert "wrong one" not in caplog.text
    mailboxes.change_mailbox(local, made.id, viewer=people.admin, changes={"imap_folder": "Nowhere"}, password=PASSWORD)
    look(local)
    assert boxes.get(local.db, made.id).last_error == "no_folder"
    assert boxes.get(local.db, made.id).next_poll_at > boxes.get(local.db, made.id).last_polled_at  # type: ignore[operator]
    mailboxes.change_mailbox(local, made.id, viewer=people.admin, changes={"imap_folder": "INBOX"})
    look(local)
    assert boxes.get(local.db, made.id).last_error is None


def test_a_private_server_is_not_called_unless_allowed(services: Services, people: Desk, inbox: Dovecot) -> None:
    made = box(services, people, inbox)
    look(services)
    assert boxes.get(services.db, made.id).last_error == "not_public"
