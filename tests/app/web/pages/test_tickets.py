"""The inbox and a ticket: reading, answering, correcting, undoing."""

from __future__ import annotations

import io

import pytest

from app.domain.ticket import TicketDraft
from app.pipeline import tickets
from app.store import events
from tests.app.web.pages.house import House, post, without_model


@pytest.fixture
def ticket(house: House) -> int:
    """A fresh ticket about a stolen card."""
    draft = TicketDraft(
        subject="Stolen", body="My card was stolen, help me now", channel="email", queue="cards", customer_name="Ana"
    )
    return tickets.receive(house.site.services, draft, viewer=house.viewer()).ticket.id


def _page(house: House, path: str) -> str:
    return str(house.reader().get(path).get_data(as_text=True))


def test_the_inbox_shows_intent_confidence_and_who_must_look(house: House) -> None:
    text = _page(house, "/tickets")
    assert "Lost or stolen card" in text
    assert "94 %" in text
    assert "Needs a person" in text


@pytest.mark.parametrize(
    ("query", "is_stolen", "is_unsure"),
    [
        ("intent=lost_or_stolen_card", True, False),
        ("needs_person=1", False, True),
        ("queue=cards", True, True),
        ("status=solved", False, False),
        ("q=stolen", True, False),
        ("priority=low&q=stolen", False, False),
    ],
)
def test_the_address_is_the_filter(house: House, query: str, is_stolen: bool, is_unsure: bool) -> None:
    text = _page(house, f"/tickets?{query}")
    assert (f'href="/tickets/{house.stolen}"' in text, f'href="/tickets/{house.unsure}"' in text) == (
        is_stolen,
        is_unsure,
    )


def test_typing_a_number_goes_to_the_ticket(house: House) -> None:
    client = house.reader()
    for typed in (f"{house.stolen}", f"#{house.stolen}", f"tkt_{house.stolen}"):
        answer = client.get("/tickets", query_string={"q": typed})
        assert answer.headers["Location"] == f"/tickets/{house.stolen}"


def test_a_ticket_shows_its_predictions_urgency_and_redaction(house: House) -> None:
    text = _page(house, f"/tickets/{house.stolen}")
    for shown in (
        "[card]",
        "1 redaction",
        "94 % sure",
        "right in 97 % of checks",
        "fake@1.0",
        "Words of fraud or theft",
    ):
        assert shown in text
    assert "4111" not in text


def test_a_correction_is_in_force_at_once_and_can_be_taken_back(house: House, ticket: int) -> None:
    client = house.reader()
    services = house.site.services
    prediction = next(
        one
        for several in tickets.show(services, ticket, viewer=house.viewer()).predictions.values()
        for one in several
        if one.prediction.role == "intent"
    )
    path = f"/predictions/{prediction.id}/correct"
    text = post(client, path, label="card_arrival")
    assert "Corrected to “Card has not arrived”" in text
    assert "corrected by Admin" in text
    event = events.of(services.db, "ticket", ticket)[-1]
    assert f'action="/undo/{event.id}"' in text
    undone = post(client, f"/undo/{event.id}", next=f"/tickets/{ticket}")
    assert "Taken back." in undone
    assert "corrected by Admin" not in undone
    assert "is “Lost or stolen card” again" in undone
    again = post(client, f"/undo/{event.id}", next=f"/tickets/{ticket}")
    assert "This was undone before." in again


def test_an_unknown_label_is_refused_with_a_sentence(house: House) -> None:
    assert "is not a label of" in post(house.reader(), "/predictions/1/correct", label="no_such")


def test_replies_notes_and_what_stands_in_the_way(house: House, ticket: int) -> None:
    client = house.reader()
    path = f"/tickets/{ticket}/reply"
    assert "an empty message is not sent" in post(client, path, body="  ", action="reply")
    kept = post(client, path, body="Hi {{ case_no }}", action="reply")
    assert "A placeholder is still empty" in kept
    assert "Hi {{ case_no }}" in kept
    assert "The note is kept." in post(client, path, body="Called her.", action="note")
    sent = post(client, path, body="We blocked the card.", action="reply_solved")
    assert "We blocked the card." in sent
    assert "Replied; Status: Solved" in sent


def test_assigning_moving_and_setting_a_status_name_who_did_it(house: House, ticket: int) -> None:
    client, base = house.reader(), f"/tickets/{ticket}"
    mine = house.site.person("agent").id
    post(client, f"{base}/assign", assignee=mine, version=_version(house, ticket))
    post(client, f"{base}/route", queue=house.queues["shop"], version=_version(house, ticket))
    text = post(client, f"{base}/status", status="pending", version=_version(house, ticket))
    for line in ("Assigned to Agent", "Moved to Shop intake", "Status: Pending"):
        assert line in text
    assert 'name="status"' in text
    assert text.count("Admin ·") >= 3


def _version(house: House, ticket: int) -> int:
    return tickets.show(house.site.services, ticket, viewer=house.viewer()).ticket.version


def test_a_change_on_an_old_version_overwrites_nothing(house: House, ticket: int) -> None:
    client = house.reader()
    old = _version(house, ticket)
    post(client, f"/tickets/{ticket}/status", status="pending", version=old)
    text = post(client, f"/tickets/{ticket}/status", status="closed", version=old)
    assert "Somebody changed this ticket in the meantime" in text
    shown = tickets.show(house.site.services, ticket, viewer=house.viewer())
    assert shown.ticket.status == "pending"


def test_a_macro_goes_into_the_reply_without_a_script(house: House) -> None:
    text = _page(house, f"/tickets/{house.stolen}")
    assert "Still empty: case_no" in text
    filled = _page(house, f"/tickets/{house.stolen}?take=1")
    assert "Hi Ana Costa, your card is blocked. Your case is {{ case_no }}.</textarea>" in filled


def test_the_words_that_carried_it_are_a_fragment_or_a_page(house: House) -> None:
    client = house.reader()
    path = f"/tickets/{house.stolen}/predictions/1/words"
    fragment = client.get(path, headers={"X-Requested-With": "fetch"}).get_data(as_text=True)
    assert "<mark" in fragment
    assert "by 40 points" in fragment
    assert "<html" not in fragment
    assert "<html" in client.get(path).get_data(as_text=True)
    assert client.get(f"/tickets/{house.unsure}/predictions/1/words").status_code == 404


def test_a_ticket_typed_in_and_a_mail_become_tickets(house: House) -> None:
    client = house.reader("agent")
    text = post(
        client, "/tickets/new", body="I lost my card", queue="cards", customer_tier="plus", customer_name="Cleo"
    )
    assert "I lost my card" in text
    assert "Lost or stolen card" in text
    mail = b"From: Dan <dan@example.com>\r\nSubject: Where\r\nMessage-ID: <m1@x>\r\n\r\nWhere is my order?\r\n"
    taken = post(client, "/tickets/mail", file=(io.BytesIO(mail), "a.eml"))
    assert "Where is my order?" in taken
    again = post(client, "/tickets/mail", file=(io.BytesIO(mail), "a.eml"))
    assert "taken in before" in again
    assert "Please fill this in." in post(client, "/tickets/new", body="", queue="cards", customer_tier="plus")


def test_without_a_model_tickets_are_kept_and_pages_still_open(house: House) -> None:
    client = house.reader()
    engine = without_model(house)
    try:
        text = post(client, "/tickets/new", body="Nobody reads this yet", queue="shop", customer_tier="standard")
        assert "The model has not read this ticket yet" in text
        assert "being read" in client.get("/tickets").get_data(as_text=True)
    finally:
        engine.failure = None
