"""Answers: the right macro filled, the right article found, a draft that quotes it, or none."""

from __future__ import annotations

import pytest

from app.answers.flows import suggest
from app.answers.store import articles, macros
from app.core.errors import Conflict, InputError, NotReady
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import correct_prediction, file_ticket
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine

BODY = "## When does it arrive?\n\nA refund reaches your card within five working days after we approve it.\n"


@pytest.fixture
def library(services: Services, people: Desk) -> None:
    """Two articles and three macros."""
    suggest.add_article(services, viewer=SYSTEM, slug="refund-time", title="How long a refund takes", body=BODY)
    body = "Standard post takes three days. Express post takes one day when ordered before noon."
    suggest.add_article(services, viewer=SYSTEM, slug="delivery", title="Delivery times", body=body)
    greeting = "Hi {{ customer.name }}, order {{ order_no }} is refunded.\n{{ agent.name }}"
    suggest.add_macro(
        services,
        viewer=SYSTEM,
        name="Refund",
        body=greeting,
        intents=("get_refund",),
        actions=[{"type": "set_status", "value": "solved"}, {"type": "add_tag", "value": "refund"}],
    )
    suggest.add_macro(services, viewer=SYSTEM, name="Complaint", body="We are sorry.", intents=("complaint",))
    suggest.add_macro(services, viewer=SYSTEM, name="Track", body="It is on its way.", intents=("nothing",))


def arrive(services: Services, body: str) -> int:
    """A ticket."""
    draft = TicketDraft(subject="", body=body, channel="api", customer_name="Ada Byron")
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket.id


@pytest.mark.usefixtures("library")
def test_a_ticket_gets_macro_article_and_draft(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "How many days until the refund reaches my card?")
    found = suggest.answer(services, ticket_id, viewer=people.shop_agent)
    assert [(one.macro.name, one.missing) for one in found.macros[:1]] == [("Refund", ("order_no",))]
    assert "Hi Ada Byron" in found.macros[0].filled
    assert "Track" not in [one.macro.name for one in found.macros]
    assert found.hits[0].slug == "refund-time"
    assert found.draft.sentences[0].text.startswith("A refund reaches your card")
    assert found.draft.sentences[0].source_id == found.hits[0].article_id


@pytest.mark.usefixtures("library")
def test_a_persons_label_chooses_the_macro(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "I want a refund")
    correct_prediction.correct(
        services, viewer=people.shop_agent, label="complaint", ticket_id=ticket_id, task="commerce_intent"
    )
    assert suggest.answer(services, ticket_id, viewer=people.shop_agent).macros[0].macro.name == "Complaint"


@pytest.mark.usefixtures("library")
def test_without_an_encoder_words_still_find(services: Services, people: Desk, engine: FakeEngine) -> None:
    ticket_id = arrive(services, "How long does a refund take?")
    engine.failure = NotReady()
    found = suggest.answer(services, ticket_id, viewer=people.shop_agent)
    assert (found.hits[0].slug, found.hits[0].vector_rank) == ("refund-time", None)
    assert found.draft.sentences == ()
    assert suggest.search(services, "   ") == ()


@pytest.mark.usefixtures("library")
def test_an_edited_article_is_read_anew(services: Services, engine: FakeEngine) -> None:
    article = articles.find_by_slug(services.db, "delivery")
    assert article is not None
    engine.failure = NotReady()
    changes = {"body": "Parcels to the islands travel by ferry on Tuesdays only."}
    suggest.change_article(services, article.id, viewer=SYSTEM, changes=changes, version=article.version)
    assert suggest.search(services, "ferry")[0].slug == "delivery"
    assert suggest.search(services, "express") == ()
    engine.failure = None
    assert suggest.reindex(services) == 1
    assert suggest.reindex(services) == 0
    assert "ferry" in suggest.search(services, "ferry islands")[0].passage


@pytest.mark.usefixtures("library")
def test_a_macros_actions_are_one_edit(services: Services, people: Desk) -> None:
    ticket_id = arrive(services, "I want a refund")
    macro = suggest.answer(services, ticket_id, viewer=people.shop_agent).macros[0].macro
    done = file_ticket.apply_macro(services, ticket_id, macro_id=macro.id, viewer=people.shop_agent)
    assert (done.status, done.tags) == ("solved", ("refund",))
    file_ticket.reply(services, ticket_id, viewer=people.shop_agent, body="Done.", macro_id=macro.id)
    assert macros.get(services.db, macro.id).n_used == 1


@pytest.mark.usefixtures("library")
def test_names_are_taken_once_and_actions_are_known(services: Services) -> None:
    with pytest.raises(Conflict, match="name_taken"):
        suggest.add_macro(services, viewer=SYSTEM, name="Refund", body="x")
    with pytest.raises(InputError, match="unknown_action"):
        suggest.add_macro(services, viewer=SYSTEM, name="y", body="x", actions=[{"type": "explode", "value": "1"}])
    with pytest.raises(Conflict, match="slug_taken"):
        suggest.add_article(services, viewer=SYSTEM, slug="delivery", title="t", body="b")
    with pytest.raises(InputError, match="empty_field"):
        suggest.add_article(services, viewer=SYSTEM, slug="s", title=" ", body="b")
