"""A customer in one place; erased, nothing of theirs is left in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import NotAllowed, NotFound
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import AttachmentDraft, TicketDraft
from app.desk.flows import act_on_ticket, erase_customer, file_ticket
from app.desk.store import messages
from app.desk.store import tickets as rows
from app.intents.flows import correct_prediction
from app.intents.flows.export_examples import export_examples
from app.model.store import predictions
from tests.app.conftest import Desk

SECRETS = ("Quillfeather", "niamh@example.org", "refund for the turquoise lamp", "turquoise-invoice")


def written(services: Services, people: Desk) -> tuple[int, int]:
    """A ticket full of what is to be forgotten, and its customer."""
    draft = TicketDraft(
        subject="My refund for the turquoise lamp",
        body="I want my refund for the turquoise lamp",
        channel="email",
        customer_name="Niamh Quillfeather",
        customer_email="niamh@example.org",
        message_id="q@example.org",
        external_id="zd-1",
        attachments=(AttachmentDraft(name="turquoise-invoice", media_type="text/plain", content=b"turquoise-invoice"),),
    )
    ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    said = "Your refund for the turquoise lamp is here, Quillfeather"
    act_on_ticket.reply(services, ticket.id, viewer=people.admin, body=said)
    act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"subject": "refund for the turquoise lamp!"})
    message = messages.of_ticket(services.db, ticket.id)[0]
    stored = predictions.of_messages(services.db, [message.id])
    read = next(one for one in stored if one.prediction.role == "intent")
    correct_prediction.correct(services, viewer=people.admin, label="complaint", prediction_id=read.id)
    return ticket.id, ticket.customer_id


def test_nothing_of_an_erased_customer_is_left(services: Services, people: Desk, tmp_path: Path) -> None:
    ticket_id, customer_id = written(services, people)
    assert any(secret.encode() in _file(services, tmp_path) for secret in SECRETS)
    assert erase_customer.erase(services, customer_id, viewer=people.admin) == 1
    left = _file(services, tmp_path)
    assert [secret for secret in SECRETS if secret.encode() in left] == []
    ticket = rows.read(services.db, ticket_id)
    assert (ticket.subject, ticket.intent, ticket.n_messages) == ("—", "complaint", 2)
    told = event_log.of(services.db, "customer", customer_id)[-1]
    assert (told.verb, told.actor_id, told.after) == ("erased", people.admin.actor_id, {"n_tickets": 1})
    assert list(export_examples(services)) == []
    assert erase_customer.erase(services, customer_id, viewer=people.admin) == 1, "begun again, it does no harm"


def _file(services: Services, folder: Path) -> bytes:
    """The whole database as it would be copied."""
    copy = folder / "copy.sqlite"
    copy.unlink(missing_ok=True)
    services.db.connection.execute("VACUUM INTO ?", (str(copy),))
    return copy.read_bytes()


def test_only_administrators_erase(services: Services, people: Desk) -> None:
    _, customer_id = written(services, people)
    with pytest.raises(NotAllowed):
        erase_customer.erase(services, customer_id, viewer=people.shop_agent)


def test_a_customer_is_seen_by_who_sees_a_ticket_of_theirs(services: Services, people: Desk) -> None:
    ticket_id, customer_id = written(services, people)
    assert [one.id for one in erase_customer.show(services, customer_id, viewer=people.shop_agent).tickets] == [
        ticket_id
    ]
    with pytest.raises(NotFound):
        erase_customer.show(services, customer_id, viewer=people.card_agent)
    assert erase_customer.show(services, customer_id, viewer=people.admin).customer.email == "niamh@example.org"
