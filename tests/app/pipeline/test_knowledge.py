"""Answers: the right macro filled, the right article found, a draft that quotes it, or none."""

from __future__ import annotations

import pytest

from app.domain.people import SYSTEM
from app.domain.ticket import TicketDraft
from app.errors import Conflict, InputError, NotReady
from app.pipeline import corrections, knowledge, tickets
from app.pipeline.services import Services
from app.store import articles, macros
from tests.app.pipeline.conftest import Desk
from tests.app.pipeline.fake_engine import FakeEngine

BODY = "## When does it arrive?\n\nA refund reaches your card within five working days after we approve it.\n"


@pytest.fixture
def library(services: Services, people: Desk) -> None:
    """Two articles and three macros."""
    knowledge.add_article(services, viewer=SYSTEM, slug="refund-time", title="How long a refund takes", body=BODY)
    body = "Standard post takes three days. Express post takes one day when ordered before noon."
    knowledge.add_article(services, viewer=SYSTEM, slug="delivery", title="Delivery times", body=body)
    greeting = "Hi {{ customer.name }}, order {{ order_no }} is refunded.\n{{ agent.name }}"
    knowledge.add_macro(
        services,
        viewer=SYSTEM,
        name="Refund",
        body=greeting,
        intents=("get_refund",),
        actions=[{"type": "set_status", "value": "solved"}, {"type": "add_tag", "value": "refund"}],
    )
    knowledge.add_macro(services, viewer=SYSTEM, name="Complaint", body="We are sorry.", intents=("complaint",))
    knowledge.add_macro(services, viewer=SYSTEM, name="Track", body="It is on its way.", intents=("nothing",))


def arrive(services: Services, body: str) -> int:
    """A ticket."""
    draft = TicketDraft(subject="", body=body, channel="api", customer_name="Ada Byron")
    return tickets.receive(services, draft, viewer=SYSTEM).ticket.id


@pytest.mark.usefixtures("library")
def test_a_ticket_gets_macro_article_and_draft(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "How many days until the refund reaches my card?")
    found = knowledge.answer(services, ticket_id, viewer=people.shop_agent)
    assert [(one.macro.name, one.missing) for one in found.macros[:1]] == [("Refund", ("order_no",))]
    assert "Hi Ada Byron" in found.macros[0].filled
    assert "Track" not in [one.macro.name for one in found.macros]
    assert found.hits[0].slug == "refund-time"
    assert found.draft.sentences[0].text.startswith("A refund reaches your card")
    assert found.draft.sentences[0].source_id == found.hits[0].article_id


@pytest.mark.usefixtures("library")
def test_a_persons_label_chooses_the_macro(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "I want a refund")
    corrections.correct(
        services, viewer=people.shop_agent, label="complaint", ticket_id=ticket_id, task="commerce_intent"
    )
    assert knowledge.answer(services, ticket_id, viewer=people.shop_agent).macros[0].macro.name == "Complaint"


@pytest.mark.usefixtures("library")
def test_without_an_encoder_words_still_find(services: Services, people: Desk, engine: FakeEngine) -> None:
    ticket_id = arrive(services, "How long does a refund take?")
    engine.failure = NotReady()
    found = knowledge.answer(services, ticket_id, viewer=people.shop_agent)
    assert (found.hits[0].slug, found.hits[0].vector_rank) == ("refund-time", None)
    assert found.draft.sentences == ()
    assert knowledge.search(services, "   ") == ()


@pytest.mark.usefixtures("library")
def test_an_edited_article_is_read_anew(services: Services, engine: FakeEngine) -> None:
    article = articles.find_by_slug(services.db, "delivery")
    assert article is not None
    engine.failure = NotReady()
    changes = {"body": "Parcels to the islands travel by ferry on Tuesdays only."}
    knowledge.change_article(services, article.id, viewer=SYSTEM, changes=changes, version=article.version)
    assert knowledge.search(services, "ferry")[0].slug == "delivery"
    assert knowledge.search(services, "express") == ()
    engine.failure = None
    assert knowledge.reindex(services) == 1
    assert knowledge.reindex(services) == 0
    assert "ferry" in knowledge.search(services, "ferry islands")[0].passage


@pytest.mark.usefixtures("library")
def test_a_macros_actions_are_one_edit(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "I want a refund")
    macro = knowledge.answer(services, ticket_id, viewer=people.shop_agent).macros[0].macro
    done = tickets.apply_macro(services, ticket_id, macro_id=macro.id, viewer=people.shop_agent)
    assert (done.status, done.tags) == ("solved", ("refund",))
    tickets.reply(services, ticket_id, viewer=people.shop_agent, body="Done.", macro_id=macro.id)
    assert macros.get(services.db, macro.id).n_used == 1


@pytest.mark.usefixtures("library")
def test_names_are_taken_once_and_actions_are_known(services: Services) -> None:
    with pytest.raises(Conflict, match="name_taken"):
        knowledge.add_macro(services, viewer=SYSTEM, name="Refund", body="x")
    with pytest.raises(InputError, match="unknown_action"):
        knowledge.add_macro(services, viewer=SYSTEM, name="y", body="x", actions=[{"type": "explode", "value": "1"}])
    with pytest.raises(Conflict, match="slug_taken"):
        knowledge.add_article(services, viewer=SYSTEM, slug="delivery", title="t", body="b")
    with pytest.raises(InputError, match="empty_field"):
        knowledge.add_article(services, viewer=SYSTEM, slug="s", title=" ", body="b")
