"""Answers to a ticket: the right macro filled, the right article found, a draft that quotes it, or none."""

from __future__ import annotations

import pytest

from app.answers.flows import search_articles
from app.answers.store import macros
from app.core.errors import NotReady
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import act_on_ticket, correct_message, file_ticket
from app.desk.flows.replies import suggest_answer
from tests.app.answers import library
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def filled(services: Services, people: Desk) -> None:
    """Two articles and three macros."""
    library.fill(services)


def arrive(services: Services, body: str) -> int:
    """A ticket."""
    draft = TicketDraft(subject="", body=body, channel="api", customer_name="Ada Byron")
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket.id


@pytest.mark.usefixtures("filled")
def test_a_ticket_gets_macro_article_and_draft(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "How many days until the refund reaches my card?")
    found = suggest_answer.answer(services, ticket_id, viewer=people.shop_agent)
    assert [(one.macro.name, one.missing) for one in found.macros[:1]] == [("Refund", ("order_no",))]
    assert "Hi Ada Byron" in found.macros[0].filled
    assert "Track" not in [one.macro.name for one in found.macros]
    assert found.hits[0].slug == "refund-time"
    assert found.draft.sentences[0].text.startswith("A refund reaches your card")
    assert found.draft.sentences[0].source_id == found.hits[0].article_id


@pytest.mark.usefixtures("filled")
def test_a_persons_label_chooses_the_macro(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "I want a refund")
    correct_message.correct(services, ticket_id, viewer=people.shop_agent, label="complaint", task="commerce_intent")
    assert suggest_answer.answer(services, ticket_id, viewer=people.shop_agent).macros[0].macro.name == "Complaint"


@pytest.mark.usefixtures("filled")
def test_without_an_encoder_words_still_find(services: Services, people: Desk, engine: FakeEngine) -> None:
    ticket_id = arrive(services, "How long does a refund take?")
    engine.failure = NotReady()
    found = suggest_answer.answer(services, ticket_id, viewer=people.shop_agent)
    assert (found.hits[0].slug, found.hits[0].vector_rank) == ("refund-time", None)
    assert found.draft.sentences == ()
    assert search_articles.search(services, "   ") == ()


@pytest.mark.usefixtures("filled")
def test_a_macros_actions_are_one_edit(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "I want a refund")
    macro = suggest_answer.answer(services, ticket_id, viewer=people.shop_agent).macros[0].macro
    done = act_on_ticket.reply(
        services, ticket_id, viewer=people.shop_agent, body="Done.", macro_id=macro.id, with_actions=True
    ).row
    assert (done.status, done.tags) == ("solved", ("refund",))
    told = event_log.of(services.db, "ticket", ticket_id)[-1]
    assert (told.verb, told.after["tags"]) == ("replied", ["refund"])
    assert macros.get(services.db, macro.id).n_used == 1
