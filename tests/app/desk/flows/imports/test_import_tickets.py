"""Moving in: tried first, taken once, silent about what was closed, and read where it is open."""

from __future__ import annotations

import json
from datetime import date

import pytest

from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, InputError, NotFound
from app.core.events import event_log
from app.core.jobs import job_queue, job_rows
from app.core.jobs.job import Job
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.core.storage import blobs
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import file_ticket, order_inbox, report_desk, triage_ticket
from app.desk.flows.imports import import_tickets
from app.desk.store import import_files, inbox_query, messages, outbox
from app.desk.store import tickets as rows
from app.notify.flows.keep_receivers import RECEIVER
from app.notify.store import notifications
from tests.app.conftest import Desk
from tests.app.desk.sources.desk_exports import PLAIN_CSV, ZENDESK, ZENDESK_CSV, document, lines


def run(services: Services, job_id: int | None) -> Job:
    """A job, done."""
    while job_queue.run_due(services):
        pass
    return job_rows.get(services.db, job_id or 0)


def counts(job: Job) -> tuple[int, int, int, int]:
    """Total, done, known, failed."""
    return job.n_total, job.n_done, job.n_known, job.n_failed


def imported(services: Services, people: Desk, content: bytes, name: str = "export") -> Job:
    """A file handed in and imported as it was guessed."""
    file = import_tickets.add(services, name=name, content=content, viewer=people.admin)
    return run(services, import_tickets.begin(services, file.id, viewer=people.admin).import_job_id)


def test_a_file_is_tried_without_doing_anything(services: Services, people: Desk) -> None:
    file = import_tickets.add(services, name="tickets.json", content=lines(), viewer=people.admin)
    assert (file.source, file.form, file.mapping["customer_email"]) == ("zendesk", "json", "requester.email")
    checked = run(services, file.check_job_id)
    assert (checked.state, *counts(checked)) == ("completed", 2, 2, 0, 0)
    assert rows.last_id(services.db) == 0


def test_twice_imports_nothing_twice(services: Services, people: Desk) -> None:
    assert counts(imported(services, people, lines())) == (2, 2, 0, 0)
    again = import_tickets.add(services, name="again.json", content=lines(), viewer=people.admin)
    assert counts(run(services, again.check_job_id)) == (2, 0, 2, 0)
    assert counts(run(services, import_tickets.begin(services, again.id, viewer=people.admin).import_job_id)) == (
        2,
        0,
        2,
        0,
    )
    assert rows.last_id(services.db) == 2
    # The same ticket twice in one file is one ticket.
    double = "\n".join(json.dumps(one | {"id": 1}) for one in ZENDESK).encode()
    third = import_tickets.add(services, name="double.json", content=double, viewer=people.admin)
    assert counts(run(services, third.check_job_id)) == (2, 1, 1, 0)


def test_a_closed_ticket_is_kept_as_it_was(services: Services, people: Desk) -> None:
    imported(services, people, lines())
    found = rows.find_by_external_id(services.db, "zendesk:35436")
    assert found is not None
    assert (found.status, found.priority, found.queue_id, found.tags) == (
        "closed",
        "high",
        people.refunds,
        ("printer", "fire"),
    )
    assert found.created_at == 1_677_664_800_000
    assert (found.first_responded_at or 0) - found.created_at == 90 * 60_000
    view = file_ticket.show(services, found.id, viewer=people.admin)
    assert [one.kind for one in view.messages] == ["incoming", "outgoing", "note"]
    assert (view.customer.email, view.sla.name, found.n_messages) == ("ana@example.com", "met", 3)
    assert inbox_query.page(services.db, TicketFilter(query="colourful", status=("closed",)), viewer=people.admin).items


def test_nobody_is_told_of_what_was_closed(services: Services, people: Desk) -> None:
    changes.add(
        services.db, RECEIVER, {"name": "All", "kind": "webhook", "url": "https://example.com/hook"}, viewer=SYSTEM
    )
    imported(services, people, json.dumps(ZENDESK[:1]).encode())
    with clock.frozen(clock.now_ms() + 30 * DAY_MS):
        order_inbox.refresh(services)
    found = rows.find_by_external_id(services.db, "zendesk:35436")
    assert found is not None
    assert [one.verb for one in event_log.of(services.db, "ticket", found.id)] == ["created"]
    told = notifications.page(services.db, limit=200).items
    assert [one.noun for one in told if one.noun == "ticket"] == []
    assert "job" in {one.noun for one in told}
    ids = [one.id for one in messages.of_ticket(services.db, found.id)]
    assert outbox.of_messages(services.db, ids) == {}
    assert messages.n_pending(services.db) == 0


def test_an_open_ticket_is_read_and_its_clock_begins_now(services: Services, people: Desk) -> None:
    now = clock.now_ms()
    imported(services, people, json.dumps([ZENDESK[1] | {"status": "open"}]).encode())
    found = rows.find_by_external_id(services.db, "zendesk:35437")
    assert found is not None
    assert found.first_response_due_at is not None
    assert found.created_at < now - 300 * DAY_MS
    assert now + 7 * HOUR_MS < found.first_response_due_at < now + 9 * HOUR_MS
    order_inbox.refresh(services)
    assert rows.read(services.db, found.id).sla == "ok"
    (message,) = messages.pending(services.db, now=clock.now_ms(), limit=5)
    assert triage_ticket.classify(services, message.id)
    read = rows.read(services.db, found.id)
    assert (read.intent, read.queue_id) == ("get_refund", people.refunds)


def test_what_waits_for_its_customer_waits_here_too(services: Services, people: Desk) -> None:
    imported(services, people, json.dumps(ZENDESK[1:]).encode())
    found = rows.find_by_external_id(services.db, "zendesk:35437")
    assert found is not None
    assert file_ticket.sla_state(found).name == "paused"


def test_rows_that_cannot_be_read_are_told_and_the_others_come_in(services: Services, people: Desk) -> None:
    job = imported(services, people, ZENDESK_CSV.encode(), "zendesk.csv")
    assert counts(job) == (3, 1, 0, 2)
    assert [(one.row, one.code) for one in job.errors] == [(3, "not_an_address"), (4, "not_a_time")]


def test_columns_are_chosen_and_tried_again(services: Services, people: Desk) -> None:
    file = import_tickets.add(services, name="plain.csv", content=PLAIN_CSV.encode(), viewer=people.admin)
    assert counts(run(services, file.check_job_id)) == (2, 1, 0, 1)
    file = import_tickets.choose(
        services,
        file.id,
        viewer=people.admin,
        mapping={**file.mapping, "customer_email": "e_mail_address", "status": "done", "subject": "reference"},
        source="plain",
        queue_id=people.cards,
    )
    # With a subject the second row has a text.
    assert counts(run(services, file.check_job_id)) == (2, 2, 0, 0)
    run(services, import_tickets.begin(services, file.id, viewer=people.admin).import_job_id)
    found = rows.find_by_external_id(services.db, "A-1")
    assert found is not None
    assert (found.queue_id, found.status, found.subject) == (people.cards, "solved", "A-1")
    with pytest.raises(InputError, match="no_such_column"):
        import_tickets.choose(
            services,
            import_tickets.add(services, name="b.csv", content=PLAIN_CSV.encode(), viewer=people.admin).id,
            viewer=people.admin,
            mapping={"body": "nowhere"},
            source="plain",
        )


def test_a_file_is_imported_once_and_then_forgotten(services: Services, people: Desk) -> None:
    file = import_tickets.add(services, name="tickets.json", content=lines(), viewer=people.admin)
    sha256 = file.sha256 or ""
    # Handed in twice, its bytes are kept until both are done with.
    other = import_tickets.add(services, name="copy.json", content=lines(), viewer=people.admin)
    run(services, import_tickets.begin(services, file.id, viewer=people.admin).import_job_id)
    with pytest.raises(Conflict, match="already_imported"):
        import_tickets.begin(services, file.id, viewer=people.admin)
    assert import_files.get(services.db, file.id).sample == ()
    assert blobs.get(services.db, sha256)
    run(services, import_tickets.begin(services, other.id, viewer=people.admin).import_job_id)
    with pytest.raises(NotFound):
        blobs.get(services.db, sha256)


def test_a_file_that_nobody_imports_is_forgotten_after_a_week(services: Services, people: Desk) -> None:
    file = import_tickets.add(services, name="old.json", content=lines(), viewer=people.admin)
    with clock.frozen(clock.now_ms() + 8 * DAY_MS):
        new = import_tickets.add(services, name="new.json", content=document(), viewer=people.admin)
        assert import_tickets.forget_left_over(services) == 1
    assert import_files.get(services.db, new.id).sha256 is not None
    assert import_files.get(services.db, file.id).sha256 is None


def test_what_broke_off_goes_on_and_does_nothing_twice(services: Services, people: Desk) -> None:
    content = "id,text\n" + "".join(f"{number},Where is order {number}?\n" for number in range(300))
    file = import_tickets.add(services, name="many.csv", content=content.encode(), viewer=people.admin)
    run(services, file.check_job_id)
    with services.db.transaction() as tx:
        tx.execute(
            "CREATE TRIGGER full BEFORE INSERT ON ticket WHEN (SELECT count(*) FROM ticket) >= 120 "
            "BEGIN SELECT json('the disk is full'); END"
        )
    broken = run(services, import_tickets.begin(services, file.id, viewer=people.admin).import_job_id)
    left = rows.last_id(services.db)
    assert (broken.state, broken.n_done) == ("failed", left)
    assert 0 < left <= 120
    with services.db.transaction() as tx:
        tx.execute("DROP TRIGGER full")
    job = run(services, import_tickets.begin(services, file.id, viewer=people.admin).import_job_id)
    assert (job.state, *counts(job)) == ("completed", 300, 300 - left, left, 0)
    assert rows.last_id(services.db) == 300


def test_reports_count_what_came_in_where_it_happened(services: Services, people: Desk) -> None:
    imported(services, people, json.dumps(ZENDESK[:1]).encode())
    found = report_desk.report(
        services, viewer=people.admin, first=date(2023, 2, 27), last=date(2023, 3, 5), zone="UTC"
    ).total
    assert (found.n_arrived, found.n_first, found.n_solved, found.n_solved_late) == (1, 1, 1, 0)
