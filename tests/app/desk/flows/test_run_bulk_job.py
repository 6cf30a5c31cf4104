"""One action on a whole filter: counted, done once whatever happens to the worker, told row by row, taken back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.answers.flows.keep_macros import MACRO
from app.core import changes, clock
from app.core.db import open_database
from app.core.errors import BellwetherError, Conflict, InputError, NotAllowed, NotFound
from app.core.events import event_log
from app.core.jobs import job_queue
from app.core.jobs import job_rows as rows
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.demo.generate import generate
from app.desk.domain.bulk import BulkOrder
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import act_on_ticket, run_bulk_job
from app.desk.store import bulk_items, inbox_query, queues
from app.desk.store import tickets as ticket_rows
from app.people.flows import find_viewer
from app.people.store import users
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy

ALL = TicketFilter(status=())
N = 400
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a desk that every test copies."""
    path = tmp_path_factory.mktemp("desk") / "desk.sqlite"
    db = open_database(path)
    generate(Services(db=db, engine=FakeEngine(), policy=make_policy()), n_tickets=N)
    db.close()
    return path


@pytest.fixture
def services(desk: Path, tmp_path: Path) -> Iterator[Services]:
    """A desk of its own, because bulk changes everything."""
    db = open_database(shutil.copy(desk, tmp_path / "desk.sqlite"))
    yield Services(db=db, engine=FakeEngine(), policy=make_policy())
    db.close()


def _viewer(services: Services, email: str = "maren.oakhill@example.com") -> Viewer:
    user = users.find_by_email(services.db, email)
    assert user is not None
    return find_viewer.viewer_for(services, user)


def _order(chosen: TicketFilter, action: str, **more: Any) -> BulkOrder:
    exclude = more.pop("exclude_ids", ())
    return run_bulk_job.order_of(chosen, action=action, params=more, exclude_ids=exclude)


def _snapshot(services: Services) -> dict[int, tuple[Any, ...]]:
    found = inbox_query.each(services.db, ALL, viewer=SYSTEM)
    return {one.id: (one.status, one.queue_id, one.priority, one.assignee_id, one.tags, one.intent) for one in found}


def _done(services: Services, order: BulkOrder, viewer: Viewer) -> Any:
    job = run_bulk_job.begin(services, order, viewer=viewer)
    assert job_queue.run_due(services) == 1
    return rows.get(services.db, job.id)


CASES: list[tuple[str, dict[str, Any], TicketFilter]] = [
    ("assign", {"assignee_id": 1}, TicketFilter(status=("closed",))),
    ("assign", {"assignee_id": None}, ALL),
    ("route", {"queue_id": 3}, TicketFilter(status=(), sentiment="negative")),
    ("set_status", {"status": "solved"}, TicketFilter()),
    ("set_status", {"status": "open"}, TicketFilter(status=("closed", "solved"), language="en")),
    ("set_priority", {"priority": "high"}, TicketFilter(status=(), priority="low")),
    ("apply_macro", {"macro_id": 0}, TicketFilter(status=(), needs_person=True)),
]


@pytest.mark.parametrize(("action", "params", "chosen"), CASES, ids=range(len(CASES)))
def test_each_action_is_done_to_all_of_a_filter_and_undone(
    services: Services, action: str, params: dict[str, Any], chosen: TicketFilter
) -> None:
    me = _viewer(services)
    if action == "apply_macro":
        given = {"name": "Tidy", "body": "…", "actions": [_tag("swept"), _status("pending")]}
        params = {"macro_id": changes.add(services.db, MACRO, given, viewer=SYSTEM).row.id}
    before, ids = _snapshot(services), set(inbox_query.ids(services.db, chosen, viewer=SYSTEM))
    assert ids
    order = _order(chosen, action, **params)
    assert run_bulk_job.count(services, order, viewer=me) == len(ids)
    assert _snapshot(services) == before
    job = _done(services, order, me)
    assert (job.state, job.n_total, job.n_done, job.n_failed) == ("completed", len(ids), len(ids), 0)
    after = _snapshot(services)
    changed = {one for one in after if after[one] != before[one]}
    assert changed == set(_changed(services, job.id))
    assert changed <= ids
    now = [one for one in inbox_query.each(services.db, ALL, viewer=SYSTEM) if one.id in ids]
    assert all(_is_as_ordered(one, action, params) for one in now)
    _assert_counters(services)
    undone = run_bulk_job.undo(services, job.id, viewer=me)
    job_queue.run_due(services)
    assert rows.get(services.db, undone.id).n_done == len(changed)
    assert _snapshot(services) == before
    _assert_counters(services)
    with pytest.raises(Conflict, match="already_undone"):
        run_bulk_job.undo(services, job.id, viewer=me)


def _tag(value: str) -> Any:
    from app.answers.domain import MacroAction

    return MacroAction(type="add_tag", value=value)


def _status(value: str) -> Any:
    from app.answers.domain import MacroAction

    return MacroAction(type="set_status", value=value)


def _changed(services: Services, job_id: int) -> list[int]:
    found = services.db.rows("SELECT ticket_id FROM bulk_item WHERE job_id = ? AND event_id IS NOT NULL", (job_id,))
    return [row[0] for row in found]


def _is_as_ordered(ticket: Any, action: str, params: dict[str, Any]) -> bool:
    if action == "apply_macro":
        return ticket.status == "pending" and "swept" in ticket.tags
    ((name, value),) = params.items()
    return bool(getattr(ticket, name) == value)


def _assert_counters(services: Services) -> None:
    found = Counter((one.queue_id, one.status) for one in inbox_query.each(services.db, ALL, viewer=SYSTEM))
    kept = services.db.rows("SELECT queue_id, status, n FROM ticket_count WHERE n <> 0")
    assert {(row["queue_id"], row["status"]): row["n"] for row in kept} == found
    facets = services.db.rows("SELECT queue_id, status, sum(n) AS n FROM facet WHERE n <> 0 GROUP BY 1, 2")
    assert {(row["queue_id"], row["status"]): row["n"] for row in facets} == found


def test_each_change_is_an_event_of_the_person(services: Services) -> None:
    me = _viewer(services)
    job = _done(services, _order(TicketFilter(status=("closed",)), "set_status", status="open"), me)
    ticket_id = _changed(services, job.id)[0]
    last = event_log.of(services.db, "ticket", ticket_id)[-1]
    assert (last.verb, last.actor_kind, last.actor_id) == ("reopened", "agent", str(me.user_id))
    assert (dict(last.before), dict(last.after)) == ({"status": "closed"}, {"status": "open"})
    assert ticket_rows.read(services.db, ticket_id).solved_at is None


def test_excluded_and_later_tickets_are_left(services: Services) -> None:
    me = _viewer(services)
    closed = list(inbox_query.ids(services.db, TicketFilter(status=("closed",)), viewer=SYSTEM))
    order = _order(TicketFilter(status=("closed",)), "set_priority", priority="urgent", exclude_ids=closed[:3])
    job = run_bulk_job.begin(services, order, viewer=me)
    generate(services, n_tickets=50, seed=9)
    job_queue.run_due(services)
    assert rows.get(services.db, job.id).n_total == len(closed) - 3
    assert not set(_changed(services, job.id)) & {*closed[:3], *range(N + 1, N + 51)}


def test_only_what_the_person_sees_is_changed(services: Services) -> None:
    agent = _viewer(services, "ines.calloway@example.com")
    assert agent.queue_ids is not None
    before = _snapshot(services)
    job = _done(services, _order(ALL, "set_status", status="pending"), agent)
    seen = {one for one, row in before.items() if row[1] in agent.queue_ids}
    assert job.n_total == len(seen)
    assert {one for one, row in _snapshot(services).items() if row != before[one]} <= seen
    with pytest.raises(NotFound):
        run_bulk_job.show(services, job.id, viewer=_viewer(services, "tomas.reyhill@example.com"))


def test_what_changed_since_stays_and_is_told(services: Services) -> None:
    me = _viewer(services)
    job = _done(services, _order(TicketFilter(status=("solved",)), "set_status", status="open"), me)
    kept = _changed(services, job.id)[0]
    act_on_ticket.edit(services, kept, viewer=me, changes={"status": "pending"})
    undone = run_bulk_job.undo(services, job.id, viewer=me)
    job_queue.run_due(services)
    told = rows.get(services.db, undone.id)
    assert (told.n_failed, told.errors[0].row, told.errors[0].code) == (1, kept, "changed_since")
    assert ticket_rows.read(services.db, kept).status == "pending"


def test_rows_that_fail_are_counted_once_though_the_database_fails_too(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = _viewer(services)
    job = _done(services, _order(TicketFilter(status=("solved",)), "set_status", status="open"), me)
    kept = _changed(services, job.id)[0]
    act_on_ticket.edit(services, kept, viewer=me, changes={"status": "pending"})
    undo = run_bulk_job.undo(services, job.id, viewer=me)
    settle = bulk_items.settle

    def fail_once(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(bulk_items, "settle", settle)
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(bulk_items, "settle", fail_once)
    job_queue.run_due(services)
    services.db.connection.execute("UPDATE job SET state = 'queued', errors = '[]' WHERE id = ?", (undo.id,))
    assert (rows.get(services.db, undo.id).n_done, bulk_items.tally(services.db, undo.id).n_failed) == (0, 0)
    job_queue.run_due(services)
    told = rows.get(services.db, undo.id)
    assert (told.n_failed, told.n_done) == (1, job.n_done - 1)
    assert [one.row for one in told.errors] == [kept]


def test_undo_is_a_few_statements_a_ticket(services: Services) -> None:
    me = _viewer(services)
    job = _done(services, _order(TicketFilter(status=("closed",)), "set_priority", priority="urgent"), me)
    run_bulk_job.undo(services, job.id, viewer=me)
    statements: list[str] = []
    services.db.connection.set_trace_callback(statements.append)
    # On a busy machine the pieces are small, and the statements of each are counted for few tickets.
    with clock.frozen(clock.now_ms()):
        job_queue.run_due(services)
    services.db.connection.set_trace_callback(None)
    assert job.n_done > 200
    assert sum(one.startswith("SELECT") for one in statements) < 0.5 * job.n_done


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("burn", {}),
        ("assign", {}),
        ("assign", {"assignee_id": 99_999}),
        ("route", {"queue_id": 99_999}),
        ("set_status", {"status": "lost"}),
        ("set_priority", {"priority": None}),
        ("apply_macro", {"macro_id": 99_999}),
        ("correct", {"task": "banking_intent", "label": "no_such_label"}),
        ("correct", {"task": "no_such_task", "label": "x"}),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    services: Services, action: str, params: dict[str, Any]
) -> None:
    me = _viewer(services)
    with pytest.raises(BellwetherError):
        run_bulk_job.begin(services, _order(ALL, action, **params), viewer=me)
    assert rows.page(services.db).items == ()
    with pytest.raises(NotAllowed):
        run_bulk_job.begin(services, _order(ALL, "set_status", status="open"), viewer=SYSTEM)


def test_labels_are_corrected_and_uncorrected_with_row_errors(services: Services) -> None:
    me = _viewer(services)
    chosen = TicketFilter(status=(), queue_id=queues.every(services.db)[0].id)
    job = _done(services, _order(chosen, "correct", task="sentiment", label="positive"), me)
    n_labels = services.db.value("SELECT count(*) FROM correction WHERE undone_at IS NULL")
    assert job.n_total == job.n_done == n_labels
    assert {one.sentiment for one in inbox_query.each(services.db, chosen, viewer=SYSTEM)} == {"positive"}
    services.db.connection.execute("UPDATE verdict SET task = 'gone' WHERE task = 'emotion'")
    failed = _done(services, _order(chosen, "correct", task="emotion", label="joy"), me)
    assert (failed.n_done, failed.n_failed) == (0, job.n_total)
    assert failed.errors[0].code == "not_found"
    run_bulk_job.undo(services, job.id, viewer=me)
    job_queue.run_due(services)
    assert services.db.value("SELECT count(*) FROM correction WHERE undone_at IS NULL") == 0


def test_an_unknown_action_is_an_input_error() -> None:
    with pytest.raises(InputError, match="unknown_value"):
        run_bulk_job.order_of(ALL, action="", params={})


_WORKER = """
import sys
from pathlib import Path
from app.desk.flows import run_bulk_job as bulk
from app.core.jobs import job_queue as jobs
from app.core.services import Services
from tests.app.policies import make_policy
from app.core.db import open_database
from app.registration import register_flows
register_flows()
from tests.app.fake_engine import FakeEngine
bulk.LARGEST = 10
jobs.run_due(Services(db=open_database(Path(sys.argv[1])), engine=FakeEngine(), policy=make_policy()))
"""


def test_a_job_whose_worker_is_killed_goes_on_and_does_nothing_twice(services: Services) -> None:
    me = _viewer(services)
    generate(services, n_tickets=4000, seed=11)
    job = run_bulk_job.begin(services, _order(ALL, "set_priority", priority="urgent"), viewer=me)
    process = subprocess.Popen([sys.executable, "-c", _WORKER, str(services.db.path)], cwd=ROOT)
    deadline = time.monotonic() + 120
    while bulk_items.tally(services.db, job.id).n_done < 200:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stopped = bulk_items.tally(services.db, job.id)
    assert 0 < stopped.n_done < stopped.n_total
    assert job_queue.run_due(services) == 0
    with clock.frozen(clock.now_ms() + job_queue.STALE_MS + 1):
        assert job_queue.run_due(services) == 1
    told = rows.get(services.db, job.id)
    assert (told.state, told.n_done, told.n_failed) == ("completed", N + 4000, 0)
    verbs = services.db.rows(
        "SELECT noun_id, count(*) AS n FROM happened WHERE noun = 'ticket' AND verb = 'prioritised' GROUP BY noun_id"
    )
    assert {row["n"] for row in verbs} == {1}
    assert len(verbs) == len(_changed(services, job.id))
    assert inbox_query.count(services.db, TicketFilter(status=(), priority="urgent"), viewer=SYSTEM) == (
        N + 4000,
        False,
    )
