"""Mailboxes read from a real IMAP server (dovecot): everything once, nothing lost, robots recognised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from app.core import clock
from app.core.durations import HOUR_MS
from app.core.errors import Conflict, DatabaseBusy, InputError, NotReady, TooLarge
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.quarantine import quarantine_rows as quarantined
from app.core.quarantine import try_again
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft, TicketFilter
from app.desk.flows import store_ticket
from app.desk.flows.mail import keep_mailboxes, read_mailbox
from app.desk.sources.imap import Inbox
from app.desk.sources.mail import from_eml
from app.desk.store import customers, messages, tickets
from app.desk.store import inbox_query as tickets_in
from app.desk.store import mailboxes as boxes
from app.notify.domain.letter import Mailbox
from tests.app.conftest import Desk
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
    return keep_mailboxes.add_mailbox(
        services,
        {"address": "help@desk.example", "queue_id": desk.intake, "username": "desk", **given, **values},
        viewer=desk.admin,
        password=PASSWORD,
    ).row


def look(services: Services) -> int:
    """Look into every mailbox, two hours after the last look."""
    return read_mailbox.poll_due(services, now=clock.now_ms() + next(_LOOKS) * 2 * HOUR_MS)


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
        was = tickets.read(tx, 1)
        tickets.write(tx, was, replace(was, status="pending"))
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
    monkeypatch.setattr(store_ticket, "MOST_AN_HOUR", 3)
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


HOSTILE = {
    "brackets": b"From: " + b"(" * 600 + b"\r\nSubject: Brackets\r\n\r\nhello",
    "filename": mail(91, subject="Filename", extra="Content-Disposition: inline; filename*=utf-8''a; filename*1*=b"),
    "charset": mail(92, subject="Charset", extra='Content-Type: text/plain; charset="ut\0f"') + b"\xc3\xbc",
}


def test_hostile_mail_is_filed_and_the_mailbox_goes_on(local: Services, people: Desk, inbox: Dovecot) -> None:
    made = box(local, people, inbox)
    for number, raw in enumerate(HOSTILE.values()):
        inbox.deliver(raw, name=str(number))
    inbox.deliver(mail(4, subject="Fine"), name="9")
    assert look(local) == 4
    assert subjects(local) == ["Brackets", "Filename", "Charset", "Fine"]
    known = boxes.get(local.db, made.id)
    assert (known.last_uid, known.last_error) == (4, None)


def test_what_nobody_thought_of_costs_one_mail_and_can_be_tried_again(
    local: Services, people: Desk, inbox: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = box(local, people, inbox)

    def strict(raw: bytes, *, max_attachment_bytes: int) -> TicketDraft:
        if b"Odd" in raw:
            raise OSError("as a parser's fault it is none of this machine")
        return from_eml(raw, max_attachment_bytes=max_attachment_bytes)

    inbox.deliver(mail(1, subject="Odd"), name="1")
    inbox.deliver(mail(2, subject="Fine"), name="2")
    with monkeypatch.context() as patch:
        patch.setattr("app.desk.flows.mail.take_mail.from_eml", strict)
        assert look(local) == 2
        (item,) = quarantined.of_mailbox(local.db, made.id, limit=9)
        with pytest.raises(InputError, match="unreadable"):
            try_again.try_again(local, item.id, viewer=people.admin)
    item = quarantined.get(local.db, item.id)
    assert (item.code, item.source, item.uid, item.is_whole, item.n_tries) == (
        *("unreadable", "help@desk.example", 1, True, 1),
    )
    assert b"Subject: Odd" in quarantined.raw(local.db, item.id)
    assert subjects(local) == ["Fine"]
    filed = try_again.try_again(local, item.id, viewer=people.admin)
    ticket = tickets.read(local.db, filed.id)
    assert (ticket.subject, ticket.mailbox_id) == ("Odd", made.id)
    assert quarantined.of_mailbox(local.db, made.id, limit=9) == ()
    verbs = [event.verb for event in event_log.of(local.db, "quarantine", item.id)]
    assert verbs == ["quarantined", "released"]


@pytest.mark.parametrize("fault", [DatabaseBusy(), NotReady("database_unusable", reason="full"), OSError(28, "full")])
def test_a_fault_of_this_house_keeps_the_mail_for_the_next_look(
    local: Services, people: Desk, inbox: Dovecot, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    made = box(local, people, inbox)
    inbox.deliver(mail(1), name="1")

    def broken(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr("app.desk.flows.mail.take_mail.file_ticket.receive", broken)
        assert look(local) == 0
    assert (boxes.get(local.db, made.id).last_uid, quarantined.n_bytes(local.db)) == (0, 0)
    assert look(local) == 1
    assert subjects(local) == ["Refund"]


def test_mail_that_was_not_fetched_is_fetched_when_it_is_tried_again(
    local: Services, people: Desk, inbox: Dovecot
) -> None:
    local.policy = replace(local.policy, max_mail_bytes=100)
    made = box(local, people, inbox)
    inbox.deliver(mail(1, subject="Large"), name="1")
    look(local)
    (item,) = quarantined.of_mailbox(local.db, made.id, limit=9)
    assert (item.code, item.is_whole, quarantined.raw(local.db, item.id)) == ("too_large", False, b"")
    with pytest.raises(TooLarge):
        try_again.try_again(local, item.id, viewer=people.admin)
    local.policy = replace(local.policy, max_mail_bytes=10_000)
    filed = try_again.try_again(local, item.id, viewer=people.admin)
    assert tickets.read(local.db, filed.id).subject == "Large"


def test_mail_that_is_gone_from_its_mailbox_keeps_its_reason(local: Services, people: Desk, inbox: Dovecot) -> None:
    local.policy = replace(local.policy, max_mail_bytes=100)
    made = box(local, people, inbox)
    inbox.deliver(mail(1), name="1")
    look(local)
    (item,) = quarantined.of_mailbox(local.db, made.id, limit=9)
    for file in [*(inbox.maildir / "new").iterdir(), *(inbox.maildir / "cur").iterdir()]:
        file.unlink()
    with pytest.raises(Conflict, match="mail_gone"):
        try_again.try_again(local, item.id, viewer=people.admin)
    assert quarantined.get(local.db, item.id).code == "too_large"


def test_a_mail_that_its_server_withholds_is_passed_over_in_the_end(
    local: Services, people: Desk, inbox: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = box(local, people, inbox)
    inbox.deliver(mail(1, subject="Withheld"), name="1")
    inbox.deliver(mail(2, subject="Fine"), name="2")
    handed_out = Inbox.mail

    def withholding(self: Inbox, uid: int) -> bytes | None:
        if uid == 1:
            self._asked("FETCH", "1", "(NONSENSE)")
        return handed_out(self, uid)

    monkeypatch.setattr(Inbox, "mail", withholding)
    for _ in range(read_mailbox.MOST_REFUSALS):
        assert look(local) == 0
    assert subjects(local) == []
    assert look(local) == 2
    assert subjects(local) == ["Fine"]
    (item,) = quarantined.of_mailbox(local.db, made.id, limit=9)
    assert item.params["reason"] == "mail_withheld"


def test_a_wrong_password_and_a_missing_folder_are_told_and_tried_less_often(
    local: Services, people: Desk, inbox: Dovecot, caplog: pytest.LogCaptureFixture
) -> None:
    made = box(local, people, inbox)
    keep_mailboxes.change_mailbox(local, made.id, {}, viewer=people.admin, password="wrong one")
    look(local)
    told = boxes.get(local.db, made.id)
    assert (told.last_error, told.n_failures) == ("sign_in_refused", 1)
    assert "wrong one" not in caplog.text
    keep_mailboxes.change_mailbox(local, made.id, {"imap_folder": "Nowhere"}, viewer=people.admin, password=PASSWORD)
    look(local)
    missed = boxes.get(local.db, made.id)
    assert missed.last_error == "no_folder"
    assert missed.next_poll_at > (missed.last_polled_at or missed.next_poll_at)
    waiting = boxes.get(local.db, made.id)
    assert keep_mailboxes.change_mailbox(local, made.id, {}, viewer=people.admin).event is None
    assert boxes.get(local.db, made.id) == replace(waiting, next_poll_at=0)
    keep_mailboxes.change_mailbox(local, made.id, {"imap_folder": "INBOX"}, viewer=people.admin)
    look(local)
    assert boxes.get(local.db, made.id).last_error is None


def test_a_private_server_is_not_called_unless_allowed(services: Services, people: Desk, inbox: Dovecot) -> None:
    made = box(services, people, inbox)
    look(services)
    assert boxes.get(services.db, made.id).last_error == "not_public"
