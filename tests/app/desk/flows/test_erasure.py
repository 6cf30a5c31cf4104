"""Erased words are in no byte of the database file, whichever way they came in and wherever they were copied to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import changes, clock
from app.core.db import Database
from app.core.jobs import job_queue, job_rows
from app.core.permissions import SYSTEM
from app.core.schema import upgrades
from app.core.services import Services
from app.core.storage import wiping
from app.desk.domain.ticket import AttachmentDraft, TicketDraft, TicketFilter
from app.desk.flows import act_on_ticket, erase_customer, file_ticket, keep_queues
from app.desk.flows.imports import import_tickets
from app.desk.flows.mail import keep_mailboxes
from app.desk.store import inbox_query, messages, outbox
from app.desk.store import tickets as rows
from app.intents.flows import correct_prediction
from app.intents.flows.export_examples import export_examples
from app.model.store import predictions
from app.notify.flows.keep_receivers import RECEIVER
from app.worker import COPIES_MS
from tests.app.conftest import Desk
from tests.app.duties import run_once
from tests.app.site import make_site

NAME, ADDRESS = "Quillfeather", "niamh.zephyrine@example.org"
WORDS = (
    "aardvarkian", "bumblepuppy", "cattywampus", "dongleberry", "erinaceous", "flibbertine", "gardylooish",
    "hobbledehoyed", "impignorated", "jentacularly", "kakorrhaph", "lamprophony", "macrosmatic", "nudiustertian",
)  # fmt: skip
SECRETS = (NAME.lower(), ADDRESS, *WORDS)


def raw(db: Database) -> bytes:
    """Every byte of the file and of its log, in small letters: the search index keeps its words so."""
    files = (db.path, db.path.with_name(db.path.name + "-wal"))
    return b"".join(file.read_bytes() for file in files if file.exists()).lower()


def left(db: Database) -> list[str]:
    found = raw(db)
    return [secret for secret in SECRETS if secret.encode() in found]


@pytest.fixture
def filled(services: Services, people: Desk) -> Services:
    """A desk with others' tickets, so that the index and the file have more than a page."""
    for number in range(300):
        file_ticket.receive(
            services,
            TicketDraft(subject=f"Order {number}", body=f"where is order {number} of mine? " * 20, channel="api"),
            viewer=SYSTEM,
        )
    changes.add(
        services.db,
        RECEIVER,
        {"name": "all", "kind": "webhook", "url": "http://127.0.0.1/x", "verbs": ("ticket.*",)},
        viewer=people.admin,
    )
    keep_mailboxes.add_mailbox(
        services,
        {"address": "help@example.com", "queue_id": people.intake, "smtp_host": "mail.example.com"},
        viewer=people.admin,
    )
    return services


def write_of(services: Services, people: Desk) -> int:
    """Let the words come in, be changed, answered, corrected, told and copied; the customer's id."""
    draft = TicketDraft(
        subject=f"About my {WORDS[0]}",
        body=f"I want a refund for the {WORDS[1]}",
        channel="email",
        customer_name=f"Niamh {NAME}",
        customer_email=ADDRESS,
        external_id=f"crm-{WORDS[2]}",
        message_id=f"{WORDS[3]}@example.org",
        attachments=(
            AttachmentDraft(name=f"{WORDS[4]}.txt", media_type="text/plain", content=WORDS[5].encode() * 900),
        ),
    )
    ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    second = TicketDraft(
        subject="", body=f"and the {WORDS[6]}", channel="email", customer_email=ADDRESS,
        message_id=f"2.{WORDS[3]}@example.org", in_reply_to=f"{WORDS[3]}@example.org",
    )  # fmt: skip
    file_ticket.receive(services, second, viewer=SYSTEM)
    # The same external id with another text: what was said before is in the history, and in the index.
    again = TicketDraft(
        subject=f"About {WORDS[7]}", body=f"a refund, and {WORDS[8]}", channel="email", external_id=f"crm-{WORDS[2]}"
    )
    file_ticket.receive(services, again, viewer=SYSTEM)
    act_on_ticket.reply(services, ticket.id, viewer=people.admin, body=f"Dear {NAME}, your {WORDS[9]} is here")
    act_on_ticket.note(services, ticket.id, viewer=people.admin, body=f"they mean the {WORDS[10]}")
    act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"tags": (WORDS[11],)})
    act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"subject": f"The {WORDS[12]}"})
    message = messages.of_ticket(services.db, ticket.id)[0]
    read = next(one for one in predictions.of_messages(services.db, [message.id]) if one.prediction.role == "intent")
    for label in ("complaint", "get_refund"):
        made = correct_prediction.correct(services, viewer=people.admin, label=label, prediction_id=read.id).row
    assert made.label == "get_refund"
    assert len(outbox.of_messages(services.db, [one.id for one in messages.of_ticket(services.db, ticket.id)])) == 1
    hand_in(services, people)
    return ticket.customer_id


def hand_in(services: Services, people: Desk) -> None:
    """An export of another desk that holds the customer, and an import with a row that cannot be used."""
    import_tickets.add(
        services,
        name="export.csv",
        content=f"id,subject,body,requester email\n9,Hm,{WORDS[13]},{ADDRESS}\n".encode(),
        viewer=people.admin,
    )
    content = f"body,created_at,customer_email\nhello,{WORDS[13]},{ADDRESS}\n"
    job_queue.enqueue(
        services, kind="import_tickets", viewer=people.admin, params={"format": "csv"}, content=content.encode()
    )
    while job_queue.run_due(services):
        pass


def test_no_byte_of_an_erased_customer_is_left(filled: Services, people: Desk) -> None:
    customer_id = write_of(filled, people)
    filled.db.row("PRAGMA wal_checkpoint(TRUNCATE)")
    assert left(filled.db) == list(SECRETS)
    erase_customer.erase(filled, customer_id, viewer=people.admin)
    assert left(filled.db) == []
    assert not wiping.is_requested(filled.db)


def test_others_are_found_as_before(filled: Services, people: Desk) -> None:
    customer_id = write_of(filled, people)

    def found(words: str) -> int:
        return inbox_query.page(filled.db, TicketFilter(query=words), viewer=SYSTEM).total

    assert (found("order 277"), found(WORDS[1]), found(WORDS[8])) == (1, 0, 1)
    erase_customer.erase(filled, customer_id, viewer=people.admin)
    assert (found("order 277"), found(WORDS[8])) == (1, 0)
    filled.db.row("INSERT INTO message_search (message_search, rank) VALUES ('integrity-check', 1)")
    assert filled.db.value("PRAGMA integrity_check") == "ok"


def test_what_was_erased_is_not_filed_again(filled: Services, people: Desk) -> None:
    customer_id = write_of(filled, people)
    erase_customer.erase(filled, customer_id, viewer=people.admin)
    n_tickets = filled.db.value("SELECT count(*) FROM ticket")
    for draft in (
        TicketDraft(subject="a", body=WORDS[1], channel="api", external_id=f"crm-{WORDS[2]}"),
        TicketDraft(subject="a", body=WORDS[1], channel="email", message_id=f"{WORDS[3]}@example.org"),
    ):
        received = file_ticket.receive(filled, draft, viewer=SYSTEM)
        assert (received.is_new, received.is_update, received.ticket.subject) == (False, False, "—")
    assert filled.db.value("SELECT count(*) FROM ticket") == n_tickets
    assert left(filled.db) == []


def test_the_worker_goes_on_where_wiping_was_cut_off(
    filled: Services, people: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_id = write_of(filled, people)
    monkeypatch.setattr(erase_customer, "ASKED_MS", 0)
    monkeypatch.setattr(wiping, "MERGED_PAGES", 1)
    reader = Database(filled.db.path)
    reader.connection.execute("BEGIN")
    reader.value("SELECT count(*) FROM ticket")
    erase_customer.erase(filled, customer_id, viewer=people.admin)
    erase_customer.wipe(filled)
    assert wiping.is_requested(filled.db), "a reader still holds the log"
    reader.close()
    run_once(filled)
    assert not wiping.is_requested(filled.db)
    assert left(filled.db) == []


def test_others_write_while_the_file_is_wiped(filled: Services, people: Desk) -> None:
    customer_id = write_of(filled, people)
    is_done = threading.Event()
    waits: list[int] = []

    def work() -> None:
        while not is_done.is_set():
            began = clock.now_ms()
            keep_queues.add_queue(filled, viewer=SYSTEM, slug=f"q{len(waits)}", title="Q")
            waits.append(clock.now_ms() - began)
        filled.db.release()

    thread = threading.Thread(target=work)
    thread.start()
    erase_customer.erase(filled, customer_id, viewer=people.admin)
    while wiping.is_requested(filled.db):
        erase_customer.wipe(filled)
    is_done.set()
    thread.join()
    assert waits
    assert left(filled.db) == []


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[Services, int, Path]]:
    """A ticket filed with a key; its answer is kept for a day."""
    site = make_site(tmp_path)
    site.person("admin")
    keep_queues.add_queue(site.services, viewer=SYSTEM, slug="intake", title="Intake")
    sent = {"subject": WORDS[0], "body": WORDS[1], "queue": "intake", "customer": {"name": NAME, "email": ADDRESS}}
    answer = site.caller("admin")("POST", "/api/v1/tickets", json=sent, headers={"Idempotency-Key": "k"})
    assert WORDS[0] in answer.get_data(as_text=True)
    ticket = rows.read(site.services.db, int(answer.get_json()["id"].removeprefix("tkt_")))
    yield site.services, ticket.customer_id, tmp_path
    site.app.extensions["bellwether"].close()


def test_kept_answers_go_too(keyed: tuple[Services, int, Path]) -> None:
    services, customer_id, _ = keyed
    erase_customer.erase(services, customer_id, viewer=SYSTEM)
    assert left(services.db) == []


def test_copies_made_before_upgrades_are_kept_for_two_weeks(filled: Services) -> None:
    copy = filled.db.path.with_name(filled.db.path.name + ".before-m001")
    copy.touch()
    run_once(filled)
    assert upgrades.copies(filled.db.path) == [copy]
    with clock.frozen(clock.now_ms() + COPIES_MS + 1000):
        run_once(filled)
    assert upgrades.copies(filled.db.path) == []


def test_faults_of_rows_keep_their_place(filled: Services, people: Desk) -> None:
    customer_id = write_of(filled, people)
    erase_customer.erase(filled, customer_id, viewer=people.admin)
    faults = [one for job in job_rows.page(filled.db).items for one in job.errors]
    assert faults
    assert all(one.row and one.code and one.params == {} for one in faults)
    assert repr(faults).lower().find(WORDS[13]) == -1
    assert list(export_examples(filled)) == []
