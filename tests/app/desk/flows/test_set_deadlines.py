"""SLA clocks through the flows: policies of queues, pauses, priorities, and the events of the tick."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.core import changes, clock
from app.core.durations import HOUR_MS
from app.core.errors import Conflict, InputError
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.sla_policy import SlaPolicy
from app.desk.domain.ticket import Ticket, TicketDraft
from app.desk.flows import act_on_ticket, file_ticket, order_inbox, set_deadlines
from app.desk.flows.keep_queues import QUEUE
from app.desk.flows.keep_sla_policies import SLA_POLICY
from app.desk.store import queues as rows
from app.desk.store import tickets as stored
from tests.app.conftest import Desk

# A Monday, 09:00 in UTC.
START = round(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)
WEEK = tuple((day, 9 * 60, 17 * 60) for day in range(5))


def file(services: Services, *, queue: str = "intake", body: str = "hmm") -> Ticket:
    draft = TicketDraft(subject="", body=body, channel="form", queue=queue)
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket


def office(services: Services, people: Desk, **values: object) -> SlaPolicy:
    given = {"name": "Office", "zone": "UTC", "hours": WEEK, "first_response_ms": 4 * HOUR_MS, **values}
    return changes.add(services.db, SLA_POLICY, {"resolution_ms": 16 * HOUR_MS, **given}, viewer=people.admin).row


def hold(services: Services, people: Desk, policy: SlaPolicy, *, queue_id: int) -> None:
    changes.change(services.db, QUEUE, queue_id, {"sla_policy_id": policy.id}, viewer=people.admin)


def hours(ms: int | None) -> float | None:
    return None if ms is None else (ms - START) / HOUR_MS


def test_a_queue_s_policy_counts_its_own_hours(services: Services, people: Desk) -> None:
    hold(services, people, office(services, people), queue_id=people.intake)
    with clock.frozen(START):
        ticket = file(services)
    # Low priority: twice the time. Eight business hours end at 17:00, thirty-two on Thursday at 17:00.
    assert ticket.priority == "low"
    assert (hours(ticket.first_response_due_at), hours(ticket.resolution_due_at)) == (8.0, 3 * 24 + 8.0)
    assert hours(ticket.first_risk_at) == 6.0


def test_moving_to_another_queue_and_priority_sets_the_clock_anew(services: Services, people: Desk) -> None:
    hold(services, people, office(services, people), queue_id=people.refunds)
    with clock.frozen(START) as advance:
        ticket = file(services)
        assert hours(ticket.first_response_due_at) == 16.0, "the default policy runs around the clock"
        advance(HOUR_MS)
        moved = act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"queue_id": people.refunds}).row
        assert hours(moved.first_response_due_at) == 8.0
        urgent = act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"priority": "urgent"}).row
        assert (hours(urgent.first_response_due_at), hours(urgent.resolution_due_at)) == (1.0, 4.0)


def test_the_clock_stands_while_the_customer_is_asked(services: Services, people: Desk) -> None:
    with clock.frozen(START) as advance:
        ticket = file(services)
        advance(2 * HOUR_MS)
        pending = act_on_ticket.reply(
            services, ticket.id, viewer=people.admin, body="Which order?", status="pending"
        ).row
        due_at = pending.resolution_due_at
        advance(100 * HOUR_MS)
        state = file_ticket.sla_state(stored.read(services.db, ticket.id))
        assert (state.name, state.left_ms) == ("paused", 94 * HOUR_MS)
        order_inbox.refresh(services)
        assert [event.verb for event in event_log.of(services.db, "ticket", ticket.id)].count("sla_breached") == 0
        opened = act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"status": "open"}).row
        assert due_at is not None
        assert opened.resolution_due_at == due_at + 100 * HOUR_MS
        assert opened.first_response_due_at == pending.first_response_due_at, "what was met stays as it was measured"
        assert file_ticket.sla_state(opened).name == "ok"


def test_the_customer_s_answer_lets_it_run_again(services: Services, people: Desk) -> None:
    with clock.frozen(START) as advance:
        draft = TicketDraft(subject="", body="hmm", channel="email", message_id="a@x")
        ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
        act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"status": "pending"})
        advance(5 * HOUR_MS)
        answer = TicketDraft(subject="", body="order 12", channel="email", message_id="b@x", in_reply_to="a@x")
        again = file_ticket.receive(services, answer, viewer=SYSTEM).ticket
    assert again.status == "open"
    assert hours(again.resolution_due_at) == 96 + 5.0


def test_the_tick_tells_once_that_a_deadline_is_near_and_that_it_passed(services: Services, people: Desk) -> None:
    with clock.frozen(START) as advance:
        ticket = file(services)
        for _ in range(40):
            order_inbox.refresh(services)
            advance(HOUR_MS // 2)
    told = [event for event in event_log.of(services.db, "ticket", ticket.id) if event.verb.startswith("sla")]
    assert [(event.verb, event.actor_kind) for event in told] == [
        ("sla_at_risk", "system"),
        ("sla_breached", "system"),
    ]
    assert [event.after["deadline"] for event in told] == ["first_response", "first_response"]
    assert [hours(event.at) for event in told] == pytest.approx([12.0, 16.0], abs=0.5)


def test_the_settings_hours_are_the_default_until_it_is_edited(services: Services, people: Desk) -> None:
    for first in (2 * HOUR_MS, 3 * HOUR_MS):
        set_deadlines.install_default(services.db, first_response_ms=first, resolution_ms=24 * HOUR_MS)
        assert rows.policy_of(services.db, people.intake).first_response_ms == first
    policy = rows.default_policy(services.db)
    assert policy is not None
    changes.change(services.db, SLA_POLICY, policy.id, {"first_response_ms": HOUR_MS}, viewer=people.admin)
    set_deadlines.install_default(services.db, first_response_ms=9 * HOUR_MS, resolution_ms=24 * HOUR_MS)
    assert rows.policy_of(services.db, people.intake).first_response_ms == HOUR_MS
    with pytest.raises(Conflict) as refused:
        changes.remove(services.db, SLA_POLICY, policy.id, viewer=people.admin)
    assert refused.value.code == "default_policy"


def test_a_removed_policy_leaves_its_queues_the_default(services: Services, people: Desk) -> None:
    policy = office(services, people)
    hold(services, people, policy, queue_id=people.intake)
    changes.remove(services.db, SLA_POLICY, policy.id, viewer=people.admin)
    assert rows.policy_of(services.db, people.intake) == SlaPolicy()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": " "}, "empty"),
        ({"zone": "Moon/Base"}, "unknown_value"),
        ({"first_response_ms": 0}, "bad_allowance"),
        ({"hours": ((0, 600, 540),)}, "bad_hours"),
        ({"hours": ((7, 0, 60),)}, "bad_hours"),
        ({"holidays": ("christmas",)}, "bad_day"),
        ({"is_default": True}, "unknown_field"),
    ],
)
def test_a_policy_that_cannot_be_kept(services: Services, people: Desk, values: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as refused:
        office(services, people, **values)
    assert refused.value.code == code
