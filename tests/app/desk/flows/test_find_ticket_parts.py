"""Parts of a ticket are found by whoever sees the ticket, and by nobody else."""

from __future__ import annotations

import pytest

from app.core import changes
from app.core.errors import NotFound
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import Ticket, TicketDraft
from app.desk.flows import act_on_ticket, ask_lesson, correct_message, file_ticket, find_agents, find_ticket_parts
from tests.app.conftest import Desk


@pytest.fixture
def refund(services: Services, people: Desk) -> Ticket:
    """A ticket in the queue of the shop's team."""
    draft = TicketDraft(subject="", body="I want a refund for order 7", channel="api")
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket


def prediction_id(services: Services, ticket: Ticket) -> int:
    """The newest prediction of a ticket's intent."""
    return correct_message.newest(services.db, ticket.id, task="commerce_intent").id


def test_a_prediction_is_found_with_its_message(services: Services, people: Desk, refund: Ticket) -> None:
    wanted = prediction_id(services, refund)
    for ticket_id in (None, refund.id):
        found = find_ticket_parts.prediction(services, wanted, viewer=people.shop_agent, ticket_id=ticket_id)
        assert (found.stored.id, found.message.ticket_id) == (wanted, refund.id)


def test_a_prediction_of_a_ticket_out_of_sight_is_not_there(services: Services, people: Desk, refund: Ticket) -> None:
    wanted = prediction_id(services, refund)
    with pytest.raises(NotFound):
        find_ticket_parts.prediction(services, wanted, viewer=people.card_agent)
    with pytest.raises(NotFound):
        ask_lesson.answer(services, wanted, label="complaint", viewer=people.card_agent)
    with pytest.raises(NotFound):
        correct_message.correct(services, refund.id, viewer=people.card_agent, label="nonsense", task="commerce_intent")


def test_a_prediction_of_another_ticket_is_not_there(services: Services, people: Desk, refund: Ticket) -> None:
    draft = TicketDraft(subject="", body="Where is my parcel?", channel="api")
    other = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    wanted = prediction_id(services, refund)
    with pytest.raises(NotFound):
        find_ticket_parts.prediction(services, wanted, viewer=people.admin, ticket_id=other.id)


def test_a_text_called_back_is_found_in_sight_alone(services: Services, people: Desk, refund: Ticket) -> None:
    assert find_ticket_parts.recalled_text(services, refund.id, viewer=people.shop_agent) == ""
    written = act_on_ticket.note(services, refund.id, viewer=people.shop_agent, body="Called Kim").event
    assert written is not None
    changes.undo(services, written.id, viewer=people.shop_agent)
    assert find_ticket_parts.recalled_text(services, refund.id, viewer=people.shop_agent) == "Called Kim"
    assert find_ticket_parts.recalled_text(services, refund.id, viewer=people.admin) == ""
    with pytest.raises(NotFound):
        find_ticket_parts.recalled_text(services, refund.id, viewer=people.card_agent)


def test_agents_are_those_who_may_change_tickets(services: Services, people: Desk) -> None:
    assert [user.name for user in find_agents.every(services)] == ["Ines", "Maren", "Tomas"]
