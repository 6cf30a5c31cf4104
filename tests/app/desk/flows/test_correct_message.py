"""Actions, corrections and undo: each an event, each refused when a later one stands in the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core import changes, clock
from app.core.errors import Conflict, InputError, NotFound, Stale
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import Ticket, TicketDraft
from app.desk.flows import act_on_ticket, correct_message, file_ticket, keep_queues
from app.desk.store import tickets as rows_of
from app.intents.flows.export_examples import export_examples
from app.intents.store import corrections as rows
from tests.app.conftest import Desk

DRAFT = TicketDraft(subject="", body="I want a refund for order 7", channel="api", external_id="x-1")


@pytest.fixture
def ticket(services: Services, people: Desk) -> Ticket:
    """A refund, triaged."""
    return file_ticket.receive(services, DRAFT, viewer=SYSTEM).ticket


def last(services: Services, ticket: Ticket) -> int:
    """The newest event of a ticket."""
    return event_log.of(services.db, "ticket", ticket.id)[-1].id


def test_a_correction_outranks_the_model_and_becomes_an_example(
    services: Services, people: Desk, ticket: Ticket
) -> None:
    found = correct_message.correct(
        services, ticket.id, viewer=people.shop_agent, label="complaint", task="commerce_intent"
    ).row
    now = file_ticket.show(services, ticket.id, viewer=people.shop_agent)
    assert (found.label_before, found.label, found.model) == ("get_refund", "complaint", "fake@1.0")
    assert (now.ticket.intent, now.ticket.intent_source) == ("complaint", "agent")
    assert now.predictions[now.messages[0].id][0].prediction.label == "get_refund"
    example = json.loads(next(export_examples(services)))
    assert example == {
        "text": "I want a refund for order 7",
        "label": "complaint",
        "task": "commerce_intent",
        "source": "correction",
    }


def test_a_correction_can_be_taken_back(services: Services, people: Desk, ticket: Ticket) -> None:
    correct_message.correct(services, ticket.id, viewer=people.shop_agent, label="complaint", task="commerce_intent")
    inverse = changes.undo(services, last(services, ticket), viewer=people.shop_agent)
    now = file_ticket.show(services, ticket.id, viewer=people.shop_agent)
    assert (now.ticket.intent, now.ticket.intent_source, now.ticket.intent_band) == ("get_refund", "model", "high")
    assert inverse.verb == "uncorrected"
    assert list(export_examples(services)) == []
    assert rows.count_by_task(services.db) == {}


def test_a_later_correction_stands_in_the_way_of_undo(services: Services, people: Desk, ticket: Ticket) -> None:
    for label in ("complaint", "track_order"):
        correct_message.correct(services, ticket.id, viewer=people.shop_agent, label=label, task="commerce_intent")
    first, second = [one.id for one in event_log.of(services.db, "ticket", ticket.id) if one.verb == "corrected"]
    with pytest.raises(Conflict) as raised:
        changes.undo(services, first, viewer=people.shop_agent)
    assert (raised.value.code, raised.value.params["by"]) == ("changed_since", second)
    changes.undo(services, second, viewer=people.shop_agent)
    changes.undo(services, first, viewer=people.shop_agent)
    assert file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket.intent == "get_refund"
    with pytest.raises(Conflict, match="already_undone"):
        changes.undo(services, first, viewer=people.shop_agent)


def test_an_unknown_label_is_refused(services: Services, people: Desk, ticket: Ticket) -> None:
    with pytest.raises(InputError) as raised:
        correct_message.correct(services, ticket.id, viewer=people.shop_agent, label="nonsense", task="commerce_intent")
    assert raised.value.fields[0].pointer == "/label"


def test_another_teams_ticket_cannot_be_corrected(services: Services, people: Desk, ticket: Ticket) -> None:
    with pytest.raises(NotFound):
        correct_message.correct(
            services, ticket.id, viewer=people.card_agent, label="complaint", task="commerce_intent"
        )


@pytest.mark.parametrize(
    ("wanted", "verb"),
    [
        ({"status": "solved"}, "resolved"),
        ({"priority": "urgent"}, "prioritised"),
        ({"tags": ["vip", "vip", "late"]}, "tagged"),
        ({"subject": "Refund"}, "edited"),
        ({"status": "pending", "priority": "low"}, "edited"),
    ],
)
def test_an_edit_is_one_event_and_undo_brings_everything_back(
    services: Services, people: Desk, ticket: Ticket, wanted: dict[str, object], verb: str
) -> None:
    was = file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket
    changed = act_on_ticket.edit(services, ticket.id, viewer=people.shop_agent, changes=wanted, version=was.version).row
    assert changed.version == was.version + 1
    event = event_log.get(services.db, last(services, ticket))
    assert (event.verb, event.actor_kind) == (verb, "agent")
    changes.undo(services, event.id, viewer=people.shop_agent)
    now = file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket
    assert {key: getattr(now, key) for key in wanted} == {key: getattr(was, key) for key in wanted}
    assert now.solved_at is None


def test_assigning_and_routing_can_be_undone_even_out_of_ones_own_sight(
    services: Services, people: Desk, ticket: Ticket
) -> None:
    me = people.shop_agent
    act_on_ticket.edit(services, ticket.id, viewer=me, changes={"assignee_id": me.user_id})
    act_on_ticket.edit(services, ticket.id, viewer=me, changes={"queue_id": people.cards})
    moved = last(services, ticket)
    with pytest.raises(NotFound):
        file_ticket.show(services, ticket.id, viewer=me)
    changes.undo(services, moved, viewer=me)
    assert file_ticket.show(services, ticket.id, viewer=me).ticket.assignee_id == me.user_id


def test_an_edit_of_an_older_version_is_refused(services: Services, people: Desk, ticket: Ticket) -> None:
    act_on_ticket.edit(services, ticket.id, viewer=people.shop_agent, changes={"status": "open"})
    with pytest.raises(Stale) as raised:
        act_on_ticket.edit(
            services, ticket.id, viewer=people.shop_agent, version=ticket.version, changes={"status": "solved"}
        )
    assert raised.value.params["version"] == ticket.version + 1


def test_a_reply_meets_the_first_response_and_can_be_called_back_for_ten_seconds(
    services: Services, people: Desk, ticket: Ticket
) -> None:
    me, was = people.shop_agent, file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket
    with clock.frozen(clock.now_ms()) as advance:
        replied = act_on_ticket.reply(services, ticket.id, viewer=me, body="On its way.", status="solved").row
        assert replied.first_responded_at is not None
        assert (replied.status, replied.n_messages) == ("solved", 2)
        advance(9_999)
        inverse = changes.undo(services, last(services, ticket), viewer=me)
        now = file_ticket.show(services, ticket.id, viewer=SYSTEM)
        assert inverse.verb == "recalled"
        assert (now.ticket.status, now.ticket.first_responded_at, now.ticket.solved_at) == (was.status, None, None)
        assert [message.kind for message in now.messages] == ["incoming"]
        act_on_ticket.reply(services, ticket.id, viewer=me, body="On its way.")
        advance(10_000)
        with pytest.raises(Conflict, match="already_sent"):
            changes.undo(services, last(services, ticket), viewer=me)
    with pytest.raises(InputError, match="empty_message"):
        act_on_ticket.reply(services, ticket.id, viewer=people.shop_agent, body="  ")


def test_a_note_can_be_taken_back_and_a_later_change_keeps_a_reply_where_it_is(
    services: Services, people: Desk, ticket: Ticket
) -> None:
    me = people.shop_agent
    act_on_ticket.note(services, ticket.id, viewer=me, body="Called her.")
    changes.undo(services, last(services, ticket), viewer=me)
    assert file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket.n_messages == 1
    act_on_ticket.reply(services, ticket.id, viewer=me, body="On its way.", status="pending")
    replied = last(services, ticket)
    act_on_ticket.edit(services, ticket.id, viewer=me, changes={"status": "solved"})
    with pytest.raises(Conflict, match="changed_since"):
        changes.undo(services, replied, viewer=me)


def test_a_corrected_intent_moves_the_ticket_to_its_queue_and_undo_moves_it_back(
    services: Services, people: Desk
) -> None:
    draft = TicketDraft(subject="", body="where is my parcel", channel="api")
    ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    assert (ticket.intent, ticket.queue_id) == ("track_order", people.intake)
    correct: dict[str, Any] = {"viewer": people.shop_agent, "ticket_id": ticket.id, "task": "commerce_intent"}
    correct_message.correct(services, label="complaint", **correct)
    assert file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket.queue_id == people.refunds
    changes.undo(services, last(services, ticket), viewer=people.shop_agent)
    assert file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket.queue_id == people.intake
    # Where a person put the ticket, it stays.
    act_on_ticket.edit(services, ticket.id, viewer=people.shop_agent, changes={"queue_id": people.refunds})
    act_on_ticket.edit(services, ticket.id, viewer=people.shop_agent, changes={"queue_id": people.intake})
    correct_message.correct(services, label="complaint", **correct)
    assert file_ticket.show(services, ticket.id, viewer=SYSTEM).ticket.queue_id == people.intake


def test_a_note_is_masked_and_a_priority_set_by_hand_stays(services: Services, people: Desk, ticket: Ticket) -> None:
    act_on_ticket.note(services, ticket.id, viewer=people.shop_agent, body="Called from ada@example.com")
    thread = file_ticket.show(services, ticket.id, viewer=SYSTEM).messages
    assert (thread[-1].kind, thread[-1].body) == ("note", "Called from [email]")
    act_on_ticket.edit(services, ticket.id, viewer=people.shop_agent, changes={"priority": "low"})
    again = TicketDraft(subject="", body="terrible, angry, NOW!!!", channel="api", external_id="x-1")
    assert file_ticket.receive(services, again, viewer=SYSTEM).ticket.priority == "low"


def test_the_right_intent_brings_its_own_urgency_and_undo_takes_it_back(
    services: Services, people: Desk, ticket: Ticket
) -> None:
    before = rows_of.read(services.db, ticket.id)
    assert before.urgency is not None
    assert [part.points for part in before.urgency.parts if part.code == "intent"] == [25]
    keep_queues.set_route_rule(
        services, viewer=SYSTEM, task="commerce_intent", intent="track_order", queue_id=people.refunds, urgency=0
    )
    correct_message.correct(services, ticket.id, viewer=people.shop_agent, label="track_order", task="commerce_intent")
    now = rows_of.read(services.db, ticket.id)
    assert now.urgency is not None
    assert now.urgency.points == before.urgency.points - 25
    assert now.urgency.points == sum(part.points for part in now.urgency.parts)
    assert (before.priority, now.priority) == ("normal", "low")
    # The deadlines and the place in the inbox are those of the new priority.
    assert (now.resolution_due_at or 0) > (before.resolution_due_at or 0)
    changes.undo(services, last(services, ticket), viewer=people.shop_agent)
    again = rows_of.read(services.db, ticket.id)
    assert (again.urgency, again.priority, again.resolution_due_at) == (
        before.urgency,
        before.priority,
        before.resolution_due_at,
    )


def test_a_priority_that_a_person_chose_is_left_alone_by_the_right_intent(
    services: Services, people: Desk, ticket: Ticket
) -> None:
    act_on_ticket.edit(services, ticket.id, viewer=people.shop_agent, changes={"priority": "urgent"})
    correct_message.correct(services, ticket.id, viewer=people.shop_agent, label="track_order", task="commerce_intent")
    found = rows_of.read(services.db, ticket.id)
    assert found.urgency is not None
    assert (found.priority, found.urgency.points) == ("urgent", 10)
