"""A message in: kept, read, prioritised, and standing in the right queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.core import changes, clock
from app.core.engine_interface import Request, Result
from app.core.errors import DeadlineExceeded, InputError, NotFound, NotReady, Overloaded
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft, TicketFilter
from app.desk.flows import act_on_ticket, file_ticket, order_inbox
from app.desk.flows.keep_queues import QUEUE
from app.desk.store import inbox_query, messages
from app.desk.store import tickets as rows
from app.people.flows.keep_accounts import USER
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine

REFUND = TicketDraft(
    subject="Money back",
    body="I want my refund NOW, this is terrible.\n\nMy card is 4111 1111 1111 1111.",
    channel="email",
    customer_name="Ada Byron",
    customer_email="ada@example.com",
    customer_tier="business",
    message_id="one@example.com",
)


def test_a_message_is_read_prioritised_and_routed(services: Services, people: Desk) -> None:
    received = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    ticket = received.ticket
    assert (received.is_new, received.is_pending) == (True, False)
    assert ticket.queue_id == people.refunds
    assert (ticket.intent, ticket.intent_source, ticket.sentiment, ticket.emotion) == (
        "get_refund",
        "model",
        "negative",
        "anger",
    )
    assert ticket.urgency is not None
    assert ticket.urgency.points == sum(part.points for part in ticket.urgency.parts)
    assert ticket.priority == ticket.urgency.priority != "normal"
    assert ticket.first_response_due_at is not None
    assert ticket.first_response_due_at < ticket.created_at + 8 * 3_600_000
    verbs = [(event.verb, event.actor_kind) for event in event_log.of(services.db, "ticket", ticket.id)]
    assert verbs == [("created", "system"), ("triaged", "model"), ("routed", "rule")]


def test_card_numbers_are_masked_before_the_first_write(services: Services, people: Desk) -> None:
    file_ticket.receive(services, replace(REFUND, subject="card 4111 1111 1111 1111"), viewer=SYSTEM)
    services.db.close()
    kept = b"".join(path.read_bytes() for path in services.db.path.parent.iterdir())
    assert b"4111 1111" not in kept
    assert b"[card]" in kept


def test_an_unsure_model_leaves_the_ticket_where_it_arrived(services: Services, people: Desk) -> None:
    received = file_ticket.receive(services, replace(REFUND, body="hmm refund", queue="intake"), viewer=SYSTEM)
    ticket = received.ticket
    assert ticket.needs_person
    assert (ticket.queue_id, ticket.intent, ticket.sentiment, ticket.emotion) == (people.intake, None, None, None)
    triaged = event_log.of(services.db, "ticket", ticket.id)[-1]
    assert triaged.after["routing"] == "abstained"


def test_an_unsupported_language_is_for_a_person(services: Services, people: Desk) -> None:
    body = "Guten Tag, meine Bestellung ist leider noch nicht angekommen und ich möchte bitte mein Geld zurück haben."
    ticket = file_ticket.receive(services, replace(REFUND, subject="", body=body), viewer=SYSTEM).ticket
    assert (ticket.needs_person, ticket.language, ticket.intent, ticket.queue_id) == (True, "de", None, people.intake)


@pytest.mark.parametrize("failure", [NotReady(), Overloaded(retry_after=1), DeadlineExceeded()])
def test_what_is_accepted_waits_for_the_model(
    services: Services, people: Desk, engine: FakeEngine, failure: NotReady
) -> None:
    engine.failure = failure
    received = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    assert received.is_pending
    assert received.ticket.status == "new"
    assert file_ticket.classify_pending(services) == 0
    engine.failure = None
    assert file_ticket.classify_pending(services) == 1
    assert rows.read(services.db, received.ticket.id).intent == "get_refund"
    assert messages.n_pending(services.db) == 0
    assert file_ticket.classify_pending(services) == 0


def test_a_text_that_the_model_stumbles_over_is_accepted_all_the_same(
    services: Services, people: Desk, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ValueError("a fault of the model")

    with monkeypatch.context() as patched:
        patched.setattr(engine, "classify", stumble)
        received = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    assert received.is_pending
    assert file_ticket.classify_pending(services) == 1
    assert rows.read(services.db, received.ticket.id).intent == "get_refund"


def test_a_queue_that_changes_while_the_model_reads_is_the_one_that_counts(
    services: Services, people: Desk, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = replace(REFUND, queue="refunds")
    read = engine.classify
    texts: list[str] = []

    def slowly(requests: Sequence[Request], **options: Any) -> list[Result]:
        if not texts:
            changes.change(services.db, QUEUE, people.refunds, {"is_redacting": False}, viewer=SYSTEM)
        texts.extend(request.text for request in requests)
        return read(requests, **options)

    monkeypatch.setattr(engine, "classify", slowly)
    received = file_ticket.receive(services, draft, viewer=SYSTEM)
    assert ["[card]" in text for text in texts] == [True, False]
    assert (received.message.text, received.is_pending) == (texts[1], False)
    assert received.ticket.intent == "get_refund"


def test_filing_waits_for_the_disk_once(services: Services, people: Desk) -> None:
    statements: list[str] = []
    services.db.connection.set_trace_callback(statements.append)
    file_ticket.receive(services, REFUND, viewer=SYSTEM)
    services.db.connection.set_trace_callback(None)
    assert statements.count("COMMIT") == 1


def test_the_same_mail_twice_is_one_ticket(services: Services, people: Desk) -> None:
    first = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    second = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    assert (second.is_new, second.ticket.id, second.message.id) == (False, first.ticket.id, first.message.id)


def test_an_answer_joins_its_thread_and_wakes_the_ticket(services: Services, people: Desk) -> None:
    first = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    act_on_ticket.edit(services, first.ticket.id, viewer=people.shop_agent, changes={"status": "solved"})
    answer = replace(REFUND, message_id="two@example.com", in_reply_to="one@example.com", body="thank you, great")
    second = file_ticket.receive(services, answer, viewer=SYSTEM)
    assert second.ticket.id == first.ticket.id
    assert (second.ticket.status, second.ticket.n_messages, second.ticket.solved_at) == ("open", 2, None)
    assert second.ticket.sentiment == "positive"
    assert second.ticket.intent == "get_refund"
    assert second.ticket.urgency == first.ticket.urgency


def test_an_automatic_answer_wakes_nobody(services: Services, people: Desk) -> None:
    first = file_ticket.receive(services, REFUND, viewer=SYSTEM)
    act_on_ticket.edit(services, first.ticket.id, viewer=people.shop_agent, changes={"status": "pending"})
    away = replace(REFUND, message_id="3@x", references=("one@example.com",), is_automatic=True, body="I am away")
    second = file_ticket.receive(services, away, viewer=SYSTEM)
    assert (second.ticket.status, second.is_pending) == ("pending", False)


def test_the_same_external_id_is_an_update(services: Services, people: Desk) -> None:
    draft = replace(REFUND, message_id=None, external_id="zd-1")
    first = file_ticket.receive(services, draft, viewer=SYSTEM)
    same = file_ticket.receive(services, draft, viewer=SYSTEM)
    other = file_ticket.receive(services, replace(draft, body="Where is my order?"), viewer=SYSTEM)
    assert (same.is_new, same.is_update) == (False, False)
    assert (other.is_new, other.is_update, other.ticket.id) == (False, True, first.ticket.id)
    assert messages.get(services.db, first.message.id).text.endswith("Where is my order?")


def test_an_unknown_queue_is_a_fault_of_the_sender(services: Services, people: Desk) -> None:
    with pytest.raises(InputError) as raised:
        file_ticket.receive(services, replace(REFUND, queue="nowhere"), viewer=SYSTEM)
    assert raised.value.code == "unknown_queue"


def test_a_new_installation_takes_tickets_without_any_queue(services: Services) -> None:
    assert file_ticket.receive(services, REFUND, viewer=SYSTEM).ticket.queue_id == 1


def test_a_page_shows_only_what_the_viewer_may_see(services: Services, people: Desk) -> None:
    ticket = file_ticket.receive(services, REFUND, viewer=SYSTEM).ticket
    view = file_ticket.show(services, ticket.id, viewer=people.shop_agent)
    assert view.customer.email == "ada@example.com"
    assert {one.prediction.role for one in view.predictions[view.messages[0].id]} == {"intent", "sentiment", "emotion"}
    assert view.sla.name == "ok"
    with pytest.raises(NotFound):
        file_ticket.show(services, ticket.id, viewer=people.card_agent)
    assert inbox_query.page(services.db, TicketFilter(), viewer=people.card_agent).items == ()
    assert [one.id for one in inbox_query.page(services.db, TicketFilter(), viewer=people.shop_agent).items] == [
        ticket.id
    ]


def test_the_inbox_order_follows_time(services: Services, people: Desk) -> None:
    with clock.frozen(1_780_000_000_000) as advance:
        calm = file_ticket.receive(services, replace(REFUND, message_id="a", body="thank you"), viewer=SYSTEM).ticket
        advance(7 * 3_600_000)
        angry = file_ticket.receive(services, replace(REFUND, message_id="b"), viewer=SYSTEM).ticket
        assert order_inbox.refresh(services) >= 1
        order = [one.id for one in inbox_query.page(services.db, TicketFilter(), viewer=SYSTEM).items]
        advance(1)
        risks = {one.id: one.risk for one in inbox_query.page(services.db, TicketFilter(), viewer=SYSTEM).items}
    assert set(order) == {calm.id, angry.id}
    assert order == sorted(order, key=lambda key: -risks[key])
    assert risks[calm.id] > calm.risk


def test_a_ticket_is_given_only_to_who_can_answer_it(services: Services, people: Desk) -> None:
    ticket = file_ticket.receive(services, TicketDraft(subject="", body="refund", channel="api"), viewer=SYSTEM).ticket
    with pytest.raises(InputError, match="unknown_value"):
        act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"assignee_id": people.analyst.user_id})
    changes.change(services.db, USER, people.card_agent.user_id or 0, {"is_active": False}, viewer=SYSTEM)
    with pytest.raises(InputError, match="inactive_user"):
        act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"assignee_id": people.card_agent.user_id})
    given = act_on_ticket.edit(
        services, ticket.id, viewer=people.admin, changes={"assignee_id": people.shop_agent.user_id}
    ).row
    assert given.assignee_id == people.shop_agent.user_id


def test_nobody_files_into_a_queue_of_another_team(services: Services, people: Desk) -> None:
    draft = TicketDraft(subject="", body="Where is my refund?", channel="form", queue="cards")
    with pytest.raises(InputError) as refused:
        file_ticket.receive(services, draft, viewer=people.shop_agent)
    assert refused.value.code == "unknown_queue"
    assert file_ticket.receive(services, draft, viewer=people.card_agent).ticket.queue_id == people.cards


def test_without_a_queue_a_ticket_arrives_in_sight(services: Services, people: Desk) -> None:
    draft = TicketDraft(subject="", body="hmm", channel="form")
    shop = replace(people.shop_agent, queue_ids=frozenset({people.refunds}))
    assert file_ticket.receive(services, draft, viewer=shop).ticket.queue_id == people.refunds
    blind = replace(people.shop_agent, queue_ids=frozenset())
    with pytest.raises(InputError) as refused:
        file_ticket.receive(services, draft, viewer=blind)
    assert refused.value.code == "no_queue"


def test_a_ticket_is_given_only_to_who_sees_its_queue(services: Services, people: Desk) -> None:
    draft = TicketDraft(subject="", body="hmm", channel="form", queue="refunds")
    ticket = file_ticket.receive(services, draft, viewer=people.shop_agent).ticket
    with pytest.raises(InputError) as refused:
        act_on_ticket.edit(
            services, ticket.id, viewer=people.shop_agent, changes={"assignee_id": people.card_agent.user_id}
        )
    assert refused.value.code == "assignee_out_of_sight"
    assert refused.value.params == {"name": "Tomas", "queue": "Refunds"}
    mine = act_on_ticket.edit(
        services, ticket.id, viewer=people.shop_agent, changes={"assignee_id": people.shop_agent.user_id}
    ).row
    moved = act_on_ticket.edit(services, mine.id, viewer=people.shop_agent, changes={"queue_id": people.cards}).row
    assert moved.assignee_id is None, "who does not see it any more does not have it any more"
    told = event_log.of(services.db, "ticket", ticket.id)[-1]
    assert (told.verb, told.before) == (
        "routed",
        {"queue_id": people.refunds, "assignee_id": people.shop_agent.user_id},
    )
    changes.undo(services, told.id, viewer=people.shop_agent)
    assert rows.read(services.db, ticket.id).assignee_id == people.shop_agent.user_id
    assert (
        act_on_ticket.edit(
            services, ticket.id, viewer=people.admin, changes={"assignee_id": people.admin.user_id}
        ).row.assignee_id
        == 1
    )
