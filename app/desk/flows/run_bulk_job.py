"""One action on all tickets of a filter: counted first, done by the worker in short transactions, undone as a whole.

A job's tickets are listed before the first of them changes. Each transaction plans the changes of a few dozen, writes
them and their events together and ticks them off the list, so a job whose worker was killed goes on where it stopped
and does nothing twice. A plan that fails changes nothing; what is done by writing at once is tried in a savepoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, get_args

from app.answers.store import macros
from app.core import changes, clock
from app.core.db import Transaction
from app.core.errors import BellwetherError, Conflict, InputError, NotFound
from app.core.events import event_log as events
from app.core.events import history
from app.core.events.event import Event
from app.core.jobs import job_rows
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.nouns import Fields, Plan
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.domain.bulk import BulkAction, BulkOrder, of_params
from app.desk.domain.ticket import Ticket, TicketFilter
from app.desk.flows import act_on_ticket, correct_message
from app.desk.flows.act_on_ticket import TICKET
from app.desk.store import bulk_items, inbox_query, tickets
from app.desk.store.ticket_filter import by_ids
from app.intents.flows import correct_prediction

LISTED = 2000
"""Tickets put on a job's list in one transaction."""

SMALLEST, LARGEST = 10, 200
GOAL_MS = 25
"""The wanted duration of a transaction; the limit of every transaction is 50 ms."""

CACHE_MB = 64
"""A change of thousands of tickets touches pages all over ten indices, again and again."""

_Changes = Callable[[Transaction, Ticket], Fields]
_FIELDS = {"assign": "assignee_id", "route": "queue_id", "set_status": "status", "set_priority": "priority"}


def count(services: Services, order: BulkOrder, *, viewer: Viewer) -> int:
    """Count the tickets of an order without changing any; raises InputError for an order that cannot be done."""
    _check(services, order)
    return len(_ids(services, order, viewer=viewer))


def begin(services: Services, order: BulkOrder, *, viewer: Viewer) -> Job:
    """Accept an order: the worker does it to the tickets that are there now. Raises InputError, NotAllowed."""
    viewer.person_id(permission="tickets:write")
    _check(services, order)
    accepted = replace(order, last_id=tickets.last_id(services.db))
    return _queue(services, "bulk_edit", params=accepted.as_params(), viewer=viewer)


def undo(services: Services, job_id: int, *, viewer: Viewer) -> Job:
    """Take a whole job back, ticket by ticket; what was changed since stays and is told as the row's error.

    Raises NotFound, NotAllowed for somebody else's job, Conflict `cannot_undo` or `already_undone`.
    """
    job = show(services, job_id, viewer=viewer)
    if job.kind != "bulk_edit" or job.state not in ("completed", "failed"):
        raise Conflict("cannot_undo", id=job_id)
    if job_rows.undone_by(services.db, job_id) is not None:
        raise Conflict("already_undone", id=job_id)
    return _queue(services, "bulk_undo", params={"job_id": job_id}, viewer=viewer)


def show(services: Services, job_id: int, *, viewer: Viewer) -> Job:
    """A bulk job of the viewer's own, or any for who may do everything; raises NotFound."""
    job = job_rows.get(services.db, job_id, viewer=viewer)
    if job.kind not in ("bulk_edit", "bulk_undo"):
        raise NotFound(noun="job", id=job_id)
    return job


def n_changed(services: Services, job: Job) -> int:
    """The number of tickets that a bulk job has really changed."""
    return bulk_items.n_changed(services.db, job.id)


def undone_by(services: Services, job_id: int) -> int | None:
    """The job that takes this one back, if there is one."""
    return job_rows.undone_by(services.db, job_id)


def _queue(services: Services, kind: Any, *, params: Mapping[str, Any], viewer: Viewer) -> Job:
    with services.db.transaction() as tx:
        job_id = job_rows.insert(tx, kind=kind, params=params, user_id=viewer.user_id, at=clock.now_ms())
        history.record(tx, actor=history.of(viewer), verb="queued", noun="job", noun_id=job_id, after={"kind": kind})
        return job_rows.get(tx, job_id)


def _check(services: Services, order: BulkOrder) -> None:
    if order.action not in get_args(BulkAction):
        raise InputError("unknown_value", value=order.action)
    if order.action == "correct":
        correct_prediction.check_label(services, str(order.params.get("task")), label=str(order.params.get("label")))
    elif order.action == "apply_macro":
        macros.get(services.db, int(order.params.get("macro_id") or 0))
    else:
        act_on_ticket.check(services.db, _field(order))


def _field(order: BulkOrder) -> dict[str, Any]:
    name = _FIELDS[order.action]
    if name not in order.params:
        raise InputError("nothing_to_change")
    return {name: order.params[name]}


def _ids(services: Services, order: BulkOrder, *, viewer: Viewer) -> list[int]:
    found, left_out = inbox_query.ids(services.db, order.chosen, viewer=viewer), set(order.exclude_ids)
    return [one for one in found if one not in left_out and (not order.last_id or one <= order.last_id)]


def work(services: Services, job: Job, progress: Progress, *, viewer: Viewer) -> None:
    """Do an order, from where it stopped."""
    order = of_params(job.params)
    if job.n_total == 0:
        _list(services, job, ids=_ids(services, order, viewer=viewer))
    changes_of = _changes(order)
    label = order.params if order.action == "correct" else None

    def one(tx: Transaction, batch: _Batch, was: Ticket) -> None:
        if label is not None:
            with tx.attempt():
                batch.done.append((was.id, _corrected(services, tx, was, label=label, viewer=viewer)))
        else:
            batch.plan(tx, was, changes_of(tx, was))

    _run(services, job, progress, viewer=viewer, do=one)


def work_undo(services: Services, job: Job, progress: Progress, *, viewer: Viewer) -> None:
    """Take a job back, from where it stopped."""
    of_job, after = int(job.params["job_id"]), -1
    while job.n_total == 0 and after:
        with services.db.transaction() as tx:
            after = bulk_items.add_changed(tx, job.id, of_job=of_job, after=after, limit=LISTED)

    def one(tx: Transaction, batch: _Batch, was: Ticket) -> None:
        event, later = batch.past_of(tx, of_job).of(was.id)
        if event.verb == "corrected":
            with tx.attempt():
                made = changes.undo_in(tx, event, viewer=viewer, later=later)
            batch.done.append((was.id, None if made.event is None else made.event.id))
            return
        changes.check_undo(event, later=later)
        batch.plan(tx, was, event.before, undoes=event.id)

    # Who moved tickets out of their own sight can still take that back.
    _run(services, job, progress, viewer=replace(viewer, queue_ids=None), do=one)


def _list(services: Services, job: Job, *, ids: Sequence[int]) -> None:
    rest = iter(ids)
    while chunk := list(islice(rest, LISTED)):
        with services.db.transaction() as tx:
            bulk_items.add(tx, job.id, ticket_ids=chunk)


def _changes(order: BulkOrder) -> _Changes:
    if order.action == "apply_macro":
        macro_id = int(order.params["macro_id"])
        return lambda tx, was: act_on_ticket.macro_changes(tx, macros.get(tx, macro_id), was=was)
    wanted = {} if order.action == "correct" else _field(order)
    return lambda tx, was: wanted


def _corrected(
    services: Services, tx: Transaction, was: Ticket, *, label: Mapping[str, Any], viewer: Viewer
) -> int | None:
    stored = correct_message.newest(tx, was.id, task=str(label["task"]))
    event = correct_prediction.correct_in(tx, stored, label=str(label["label"]), viewer=viewer).event
    return None if event is None else event.id


@dataclass(frozen=True, kw_only=True)
class _Past:
    """The events by which a job changed tickets, and what happened to these since."""

    event_ids: Mapping[int, int]
    events: Mapping[int, Event]
    later: Mapping[int, Sequence[Event]]

    def of(self, ticket_id: int) -> tuple[Event, Sequence[Event]]:
        """A ticket's event, and those that came after it."""
        event = self.events[self.event_ids[ticket_id]]
        return event, [one for one in self.later.get(ticket_id, ()) if one.id > event.id]


@dataclass
class _Batch:
    """The work of one transaction: edits to be written in one go, and the outcome for each ticket."""

    viewer: Viewer
    ids: Sequence[int]
    past: _Past | None = None
    plans: list[Plan[Ticket]] = field(default_factory=list)
    done: list[tuple[int, int | None]] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def past_of(self, tx: Transaction, of_job: int) -> _Past:
        """Look up once what another job did to these tickets."""
        if self.past is None:
            event_ids = bulk_items.events_of(tx, of_job, ticket_ids=self.ids)
            self.past = _Past(
                event_ids=event_ids,
                events=events.by_ids(tx, event_ids.values()),
                later=events.later(tx, "ticket", event_ids, than=min(event_ids.values(), default=0)),
            )
        return self.past

    def plan(self, tx: Transaction, was: Ticket, given: Fields, *, undoes: int | None = None) -> None:
        """Change a ticket; one that is like that already is done, but cannot be taken back to it."""
        found = changes.plan(tx, TICKET, was, given, undoes=undoes)
        if found is not None:
            self.plans.append(found)
        elif undoes is not None:
            raise Conflict("cannot_undo", id=undoes)
        else:
            self.done.append((was.id, None))

    def write(self, tx: Transaction) -> None:
        """Write the changes and their events."""
        event_ids = changes.write_each(tx, TICKET, self.plans, viewer=self.viewer)
        self.done += [(one.was.id, event_id) for one, event_id in zip(self.plans, event_ids, strict=True)]


_Do = Callable[[Transaction, _Batch, Ticket], None]


def _run(services: Services, job: Job, progress: Progress, *, viewer: Viewer, do: _Do) -> None:
    known = bulk_items.tally(services.db, job.id)
    progress.n_total, progress.n_done, progress.n_failed = known.n_total, known.n_done, known.n_failed
    progress.errors = list(job.errors)
    progress.write()
    with services.db.page_cache(megabytes=CACHE_MB):
        _run_batches(services, job, progress, viewer=viewer, do=do)


def _run_batches(services: Services, job: Job, progress: Progress, *, viewer: Viewer, do: _Do) -> None:
    last, size = 0, SMALLEST
    while ids := bulk_items.waiting(services.db, job.id, after=last, limit=size):
        began = clock.now_ms()
        # What is counted in a transaction that is not committed is counted no more.
        with progress.reverting_on_error(), services.db.transaction() as tx:
            _transact(tx, job, progress, ids=ids, viewer=viewer, do=do)
        took = max(clock.now_ms() - began, 1)
        size = min(max(SMALLEST, min(size * 2, size * GOAL_MS // took)), LARGEST)
        last = ids[-1]


def _transact(tx: Transaction, job: Job, progress: Progress, *, ids: Sequence[int], viewer: Viewer, do: _Do) -> None:
    batch = _Batch(viewer=viewer, ids=ids)
    found = {ticket.id: ticket for ticket in by_ids(tx, ids)}
    for ticket_id in ids:
        try:
            do(tx, batch, _in_sight(tx, found.get(ticket_id), ticket_id=ticket_id, viewer=viewer))
        except BellwetherError as error:
            batch.failed.append(ticket_id)
            progress.note(ticket_id, code=error.code, params=error.params)
    batch.write(tx)
    bulk_items.settle(tx, job.id, done=batch.done, failed=batch.failed)
    progress.n_done += len(batch.done)
    progress.keep(tx)


def _in_sight(tx: Transaction, ticket: Ticket | None, *, ticket_id: int, viewer: Viewer) -> Ticket:
    if ticket is None:
        raise NotFound(noun="ticket", id=ticket_id)
    TICKET.see(tx, ticket, viewer)
    return ticket


def order_of(
    chosen: TicketFilter, *, action: str, params: Mapping[str, Any], exclude_ids: Sequence[int] = ()
) -> BulkOrder:
    """An order as it was asked for; raises InputError for an action that there is not."""
    if action not in get_args(BulkAction):
        raise InputError("unknown_value", value=action)
    found: Any = action
    return BulkOrder(chosen=chosen, action=found, params=params, exclude_ids=tuple(exclude_ids))
