"""Quarantine: what cannot be filed is kept as it came, once, and goes the same way again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.core import changes
from app.core.db import Transaction
from app.core.errors import Conflict, DatabaseBusy, InputError, NotFound
from app.core.events import event_log
from app.core.jobs import job_queue, job_rows
from app.core.jobs.job import Job, JobKind
from app.core.permissions import SYSTEM
from app.core.quarantine import keep_in_quarantine, try_again
from app.core.quarantine import quarantine_rows as items
from app.core.quarantine.arrival import Quarantined
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import erase_customer, file_ticket
from app.desk.flows.imports import import_tickets
from app.desk.flows.mail import take_mail
from app.desk.store import tickets as ticket_rows
from app.market.domain.market import Feed, PostDraft, PostFilter
from app.market.flows import classify_posts, ingest_posts, judge_post, prepare_posts
from app.market.flows.keep_feeds import FEED
from app.market.flows.prepare_posts import PreparedPost
from app.market.store import posts as post_rows
from tests.app.conftest import Desk

NO_MAIL = b"\x00\xff garbage without headers"
CROWD = b"From: Ann <ann@example.org>\r\nSubject: s\r\nTo: " + b", ".join(b"a@x.org" for _ in range(101)) + b"\r\n\r\nx"


def waiting(services: Services) -> tuple[Quarantined, ...]:
    """What waits for a decision, oldest first."""
    return tuple(reversed(items.page(services.db, limit=200).items))


def worked(services: Services, kind: JobKind, content: bytes, **params: object) -> Job:
    """A file handed in and read by the worker."""
    job = job_queue.enqueue(services, kind=kind, viewer=SYSTEM, params=params, content=content)
    job_queue.run_due(services)
    return job_rows.get(services.db, job.id)


@pytest.fixture
def feed(services: Services) -> Feed:
    """A feed of files."""
    return changes.add(services.db, FEED, {"slug": "file", "name": "File", "kind": "file"}, viewer=SYSTEM).row


def test_a_mail_that_is_handed_in_is_refused_and_kept_once(services: Services, people: Desk) -> None:
    for _ in range(2):
        with pytest.raises(InputError, match="not_a_mail"):
            take_mail.take_mail(services, NO_MAIL, viewer=people.shop_agent, source="a.eml")
    (item,) = waiting(services)
    assert (item.kind, item.source, item.code, item.user_id) == (
        *("mail", "a.eml", "not_a_mail", people.shop_agent.user_id),
    )
    assert items.raw(services.db, item.id) == NO_MAIL
    (event,) = event_log.of(services.db, "quarantine", item.id)
    assert (event.actor_kind, event.verb, event.after["code"]) == ("system", "quarantined", "not_a_mail")


def test_what_is_discarded_does_not_come_again(services: Services, people: Desk) -> None:
    with pytest.raises(InputError):
        take_mail.take_mail(services, NO_MAIL, viewer=SYSTEM, source="a.eml")
    (item,) = waiting(services)
    keep_in_quarantine.discard(services, item.id, viewer=people.admin)
    with pytest.raises(InputError):
        take_mail.take_mail(services, NO_MAIL, viewer=SYSTEM, source="a.eml")
    assert (waiting(services), items.raw(services.db, item.id)) == ((), b"")
    assert [event.verb for event in event_log.of(services.db, "quarantine", item.id)] == ["quarantined", "discarded"]
    with pytest.raises(NotFound):
        keep_in_quarantine.discard(services, item.id, viewer=people.admin)
    with pytest.raises(NotFound):
        try_again.try_again(services, item.id, viewer=people.admin)


def test_a_mail_arrives_where_its_sender_files_when_it_is_tried_again(
    services: Services, people: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = b"From: ann@example.org\r\nSubject: Card\r\n\r\nWhere is my card?"
    with monkeypatch.context() as patch:
        patch.setattr("app.desk.flows.mail.take_mail.from_eml", lambda *_, **__: 1 // 0)
        with pytest.raises(InputError, match="unreadable"):
            take_mail.take_mail(
                services, raw, viewer=replace(people.card_agent, queue_ids=frozenset({3})), source="API"
            )
    (item,) = waiting(services)
    assert "ZeroDivisionError" in str(item.params["error"])
    filed = try_again.try_again(services, item.id, viewer=people.admin)
    assert event_log.of(services.db, "ticket", filed.id)[0].actor_id == str(people.card_agent.user_id)
    assert waiting(services) == ()


def test_a_mail_of_more_than_is_kept_cannot_be_tried_again(
    services: Services, people: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_in_quarantine, "MOST_BYTES", 90_000)
    for number in (b"1", b"2"):
        with pytest.raises(InputError, match="too_many_recipients"):
            take_mail.take_mail(services, CROWD + number * 80_000, viewer=SYSTEM, source="a.eml")
    whole, cut = waiting(services)
    assert (whole.is_whole, cut.is_whole, cut.size) == (True, False, len(CROWD) + 80_000)
    assert len(items.raw(services.db, cut.id)) == keep_in_quarantine.HEAD
    with pytest.raises(InputError, match="too_many_recipients"):
        try_again.try_again(services, whole.id, viewer=people.admin)
    with pytest.raises(Conflict, match="raw_not_kept"):
        try_again.try_again(services, cut.id, viewer=people.admin)
    assert [item.code for item in waiting(services)] == ["too_many_recipients"] * 2


def test_rows_of_posts_that_cannot_be_used_are_kept_as_files_of_their_own(services: Services, feed: Feed) -> None:
    content = b"title,published_at\nLarkspur falls,never\nLarkspur rises,2026-03-01\n"
    for _ in range(2):
        job = worked(services, "import_posts", content, feed_id=feed.id, format="csv", name="day.csv")
    assert (job.n_done, job.n_failed, job.state) == (1, 1, "completed")
    (item,) = waiting(services)
    assert (item.kind, item.form, item.source, item.row, item.code) == ("post", "csv", "File: day.csv", 1, "not_a_time")
    assert items.raw(services.db, item.id) == b"title,published_at\nLarkspur falls,never\n"
    with pytest.raises(InputError, match="not_a_time"):
        try_again.try_again(services, item.id, viewer=SYSTEM)
    assert waiting(services)[0].n_tries == 1


def test_no_more_of_a_file_is_kept_than_shows_what_is_wrong_with_it(services: Services, feed: Feed) -> None:
    lines = "\n".join(json.dumps({"title": f"Larkspur {number}", "date": "never"}) for number in range(150))
    job = worked(services, "import_posts", lines.encode(), feed_id=feed.id, format="jsonl")
    assert (job.n_failed, len(waiting(services))) == (150, keep_in_quarantine.MOST_OF_A_FILE)


def test_an_odd_post_costs_no_other_and_is_filed_in_the_end(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [PostDraft(external_id=str(number), title=f"Larkspur falls number {number}") for number in range(5)]
    read, store = prepare_posts._cleaned, ingest_posts._store

    def odd_row(draft: PostDraft, **options: Any) -> Any:
        return 1 // 0 if draft.external_id == "1" else read(draft, **options)

    def odd_store(tx: Transaction, feed_id: int, prepared: Sequence[PreparedPost], **options: Any) -> Any:
        if any(row.draft.external_id == "3" for row in prepared):
            raise sqlite3.IntegrityError("odd")
        return store(tx, feed_id, prepared, **options)

    with monkeypatch.context() as patch:
        patch.setattr(prepare_posts, "_cleaned", odd_row)
        patch.setattr(ingest_posts, "_store", odd_store)
        results = ingest_posts.receive(services, feed.id, drafts, viewer=SYSTEM)
    assert [result.state for result in results] == ["created", "failed", "created", "failed", "created"]
    assert [results[1].error, results[3].error] == ["unreadable", "unreadable"]
    found = post_rows.page(services.db, PostFilter(), viewer=SYSTEM)
    assert sorted(post.external_id for post in found.items) == ["0", "2", "4"]


def test_a_post_that_the_model_stumbles_over_holds_up_no_other(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = judge_post.judge

    def strict(on: Services, texts: Any, **options: Any) -> Any:
        return 1 // 0 if any("odd" in text for text, _ in texts) else kept(on, texts, **options)

    monkeypatch.setattr(prepare_posts, "judge", strict)
    monkeypatch.setattr(classify_posts, "judge", strict)
    drafts = [PostDraft(external_id=title, title=f"Larkspur falls {title}") for title in ("one", "odd", "two")]
    assert [one.state for one in ingest_posts.receive(services, feed.id, drafts, viewer=SYSTEM)] == ["created"] * 3
    assert classify_posts.classify_pending(services) == 2
    found = post_rows.page(services.db, PostFilter(), viewer=SYSTEM).items
    assert {post.external_id for post in found if post.sentiment is None} == {"odd"}
    assert classify_posts.classify_pending(services) == 0


def test_an_entry_of_a_feed_is_filed_when_its_reader_is_mended(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = b"<gml:Point srsName='EPSG:q'><gml:pos>1 2</gml:pos></gml:Point>"
    raw = (
        b"<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0' xmlns:gml='http://www.opengis.net/gml'><channel>"
        b"<item><guid>1</guid><title>Larkspur f\xe4llt</title>" + point + b"</item>"
        b"<item><guid>2</guid><title>Larkspur steigt</title></item></channel></rss>"
    )
    job = worked(services, "import_posts", raw, feed_id=feed.id, format="rss", name="day.xml")
    assert (job.state, job.n_done, job.n_failed) == ("completed", 1, 1)
    (item,) = waiting(services)
    assert (item.form, item.code) == ("rss", "unreadable")
    mended = items.raw(services.db, item.id).replace(point, b"")
    with services.db.transaction() as tx:
        tx.execute("UPDATE quarantine SET raw = ?", (mended,))
    filed = try_again.try_again(services, item.id, viewer=SYSTEM)
    assert (filed.noun, post_rows.get(services.db, filed.id).title) == ("post", "Larkspur fällt")


@pytest.mark.parametrize("raw", [b"<html>", b"<" * 40_000, b"&#99999999999;"])
def test_a_feed_that_cannot_be_read_is_told_with_its_reason(services: Services, feed: Feed, raw: bytes) -> None:
    job = worked(services, "import_posts", raw, feed_id=feed.id, format="rss")
    assert (job.state, job.errors[0].code) == ("failed", "not_a_feed")


def test_rows_of_tickets_are_taken_alone(services: Services, people: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = file_ticket.receive

    def strict(on: Services, draft: TicketDraft, **options: Any) -> Any:
        return 1 // 0 if "odd" in draft.body else kept(on, draft, **options)

    content = b"subject,body,customer_email\nOne,I want a refund,a@x.org\nTwo,odd,b@x.org\nThree,,c@x.org\n"
    with monkeypatch.context() as patch:
        patch.setattr(file_ticket, "receive", strict)
        job = worked(services, "import_tickets", content, format="csv", name="week.csv")
    assert (job.n_done, [fault.code for fault in job.errors]) == (1, ["unreadable", "empty"])
    odd, empty = waiting(services)
    assert (odd.kind, odd.source, odd.row, empty.code) == ("ticket", "week.csv", 3, "empty")
    filed = try_again.try_again(services, odd.id, viewer=people.admin)
    ticket = ticket_rows.read(services.db, filed.id)
    assert (ticket.subject, ticket.external_id) == ("Two", f"quarantine:{odd.id}")
    with pytest.raises(InputError):
        try_again.try_again(services, empty.id, viewer=people.admin)


def test_records_of_another_desk_are_taken_alone(services: Services, people: Desk) -> None:
    records = [{"id": 1, "text": "Where is it?", "email": "no address"}, {"id": 2, "text": "Where is she?"}]
    file = import_tickets.add(services, name="old.json", content=json.dumps(records).encode(), viewer=people.admin)
    job_queue.run_due(services)
    job_id = import_tickets.begin(services, file.id, viewer=people.admin).import_job_id
    job_queue.run_due(services)
    job = job_rows.get(services.db, job_id or 0)
    assert (job.state, job.n_done, job.n_failed) == ("completed", 1, 1)
    (item,) = waiting(services)
    assert (item.kind, item.source, item.row, item.code) == ("record", "old.json", 1, "not_an_address")
    with services.db.transaction() as tx:
        tx.execute("UPDATE quarantine SET raw = replace(CAST(raw AS TEXT), 'no address', 'a@x.org')")
        tx.execute("UPDATE quarantine SET raw = CAST(raw AS BLOB)")
    filed = try_again.try_again(services, item.id, viewer=people.admin)
    assert ticket_rows.read(services.db, filed.id).external_id == "1"


def test_a_busy_database_gives_up_no_file(services: Services, people: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy

    with monkeypatch.context() as patch:
        patch.setattr(file_ticket, "receive", busy)
        job = worked(services, "import_tickets", b"subject,body\nOne,refund\n", format="csv")
    assert (job.state, job.errors, waiting(services)) == ("working", (), ())
    assert services.db.value("SELECT count(*) FROM blob") == 1


def test_what_an_erased_customer_sent_leaves_quarantine_too(services: Services, people: Desk) -> None:
    for sender in (b"Ann@Example.org", b"bob@example.org"):
        with pytest.raises(InputError):
            take_mail.take_mail(services, CROWD.replace(b"ann@example.org", sender), viewer=SYSTEM, source="a.eml")
    draft = TicketDraft(subject="", body="refund", channel="email", customer_email="ann@example.org")
    ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    erase_customer.erase(services, ticket.customer_id, viewer=people.admin)
    (left,) = waiting(services)
    assert b"bob@" in items.raw(services.db, left.id)
