"""The inbox and a ticket: reading, answering, correcting, undoing."""

from __future__ import annotations

import io
import re

import pytest

from app.answers.domain import Tally
from app.answers.flows.keep_macros import MACRO
from app.answers.store import suggestion_outcomes
from app.core import changes
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from tests.app.page_house import House, post, without_model
from tests.app.site import csrf


@pytest.fixture
def ticket(house: House) -> int:
    """A fresh ticket about a stolen card."""
    draft = TicketDraft(
        subject="Stolen", body="My card was stolen, help me now", channel="email", queue="cards", customer_name="Ana"
    )
    return file_ticket.receive(house.site.services, draft, viewer=house.viewer()).ticket.id


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
        for several in file_ticket.show(services, ticket, viewer=house.viewer()).predictions.values()
        for one in several
        if one.prediction.role == "intent"
    )
    path = f"/predictions/{prediction.id}/correct"
    text = post(client, path, label="card_arrival")
    assert "Corrected to “Card has not arrived”" in text
    assert "corrected by Admin" in text
    event = event_log.of(services.db, "ticket", ticket)[-1]
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
    return file_ticket.show(house.site.services, ticket, viewer=house.viewer()).ticket.version


def test_a_change_on_an_old_version_overwrites_nothing(house: House, ticket: int) -> None:
    client = house.reader()
    old = _version(house, ticket)
    post(client, f"/tickets/{ticket}/status", status="pending", version=old)
    seen = event_log.of(house.site.services.db, "ticket", ticket)[-2].id
    text = post(client, f"/tickets/{ticket}/status", status="closed", version=old, seen=seen)
    assert "Somebody changed this ticket in the meantime" in text
    clash = text[text.index("Your change was not saved: Status: Closed") :].split("</section>")[0]
    assert "Status: Pending" in clash
    assert "Received" not in clash
    assert f'name="version" value="{_version(house, ticket)}"' in clash
    shown = file_ticket.show(house.site.services, ticket, viewer=house.viewer())
    assert shown.ticket.status == "pending"
    kept = post(client, f"/tickets/{ticket}/reply", body="My long answer", action="reply", version=old, seen=seen)
    assert "What you wrote stands in the box below" in kept
    assert "My long answer</textarea>" in kept


def test_a_reply_called_back_stands_in_the_box_again(house: House, ticket: int) -> None:
    client = house.reader()
    sent = post(client, f"/tickets/{ticket}/reply", body="We blocked the card.", action="reply_solved")
    assert "The reply goes out in 10 seconds" in sent
    event = event_log.of(house.site.services.db, "ticket", ticket)[-1]
    back = post(client, f"/undo/{event.id}")
    assert "We blocked the card.</textarea>" in back
    assert "Reply called back before it was sent" in back
    assert file_ticket.show(house.site.services, ticket, viewer=house.viewer()).ticket.status == "new"


def test_who_else_is_there_is_told(house: House, ticket: int) -> None:
    other, me = house.reader("agent"), house.reader()
    path = f"/tickets/{ticket}/presence"
    told = other.post(path, data={"csrf_token": csrf(other, "/account"), "typing": "1", "version": "1"})
    assert told.get_json()["others"] == ""
    mine = me.post(path, data={"csrf_token": csrf(me, "/account"), "version": "0"}).get_json()
    assert mine == {"others": "Agent is writing a reply.", "news": "This ticket has changed."}
    assert "Agent is writing a reply." in me.get(f"/tickets/{ticket}").get_data(as_text=True)
    other.post(path, data={"csrf_token": csrf(other, "/account"), "left": "1"})
    assert me.post(path, data={"csrf_token": csrf(me, "/account")}).get_json()["others"] == ""


def test_tickets_are_walked_through_in_the_order_of_the_inbox(house: House) -> None:
    client = house.reader()
    page = client.get("/tickets?queue=shop&sort=oldest").get_data(as_text=True)
    listed = [int(number) for number in re.findall(r'href="/tickets/(\d+)"', page)]
    first, second = listed[:2]
    assert client.get(f"/tickets/{first}/next").headers["Location"] == f"/tickets/{second}"
    assert client.get(f"/tickets/{second}/previous").headers["Location"] == f"/tickets/{first}"
    assert client.get(f"/tickets/{first}/previous").headers["Location"].startswith("/tickets?")
    post(client, f"/tickets/{first}/reply", body="Done.", action="reply_solved", next="1")
    assert file_ticket.show(house.site.services, first, viewer=house.viewer()).ticket.status == "solved"


def test_priority_tags_and_taking(house: House, ticket: int) -> None:
    client, base = house.reader(), f"/tickets/{ticket}"
    assert "Priority: Low" in post(client, f"{base}/priority", priority="low")
    assert "Tags: vip, late" in post(client, f"{base}/tags", tags="vip, late, vip,")
    post(house.reader("agent"), f"{base}/take")
    assert "Agent has this ticket already" in post(client, f"{base}/take")
    assert file_ticket.show(house.site.services, ticket, viewer=house.viewer()).ticket.assignee_id == (
        house.site.person("agent").id
    )


def test_a_macro_goes_into_the_reply_without_a_script(house: House) -> None:
    text = _page(house, f"/tickets/{house.stolen}")
    assert "Still empty: case_no" in text
    asked = _page(house, f"/tickets/{house.stolen}?take=1")
    assert 'name="v.case_no"' in asked
    refused = _page(house, f"/tickets/{house.stolen}?take=1&v.case_no=%20")
    assert "The macro needs case_no. Nothing is put into the reply" in refused
    for page in (asked, refused):
        assert "your card is blocked" not in page.split("<textarea")[1].split("</textarea>")[0]
    filled = _page(house, f"/tickets/{house.stolen}?take=1&v.case_no=C-7")
    assert "Hi Ana Costa, your card is blocked. Your case is C-7.</textarea>" in filled


def test_a_macro_sent_does_its_actions_and_what_became_of_it_orders_the_next(house: House, ticket: int) -> None:
    client, services = house.reader(), house.site.services
    macro = changes.add(
        services.db,
        MACRO,
        {
            "name": "Card: sorry",
            "body": "We are sorry about your card, {{ customer.name }}.",
            "intents": ("lost_or_stolen_card",),
            "actions": [{"type": "add_tag", "value": "sorry"}, {"type": "set_status", "value": "pending"}],
        },
        viewer=SYSTEM,
    ).row
    body = "We are sorry about your card, Ana."
    post(client, f"/tickets/{ticket}/reply", with_actions="1", body=body, action="reply", macro_id=macro.id)
    shown = file_ticket.show(services, ticket, viewer=house.viewer()).ticket
    assert (shown.status, shown.tags) == ("pending", ("sorry",))
    assert suggestion_outcomes.of_macros(services.db)[macro.id] == Tally(n_accepted=1, kept=1.0)
    changes.undo(services, event_log.of(services.db, "ticket", ticket)[-1].id, viewer=house.viewer("admin"))
    shown = file_ticket.show(services, ticket, viewer=house.viewer()).ticket
    assert (shown.status, shown.tags) == ("new", ())
    assert macro.id not in suggestion_outcomes.of_macros(services.db)
    assert "comes further down from now on" in post(client, f"/tickets/{ticket}/reject", macro=macro.id)
    assert suggestion_outcomes.of_macros(services.db)[macro.id].n_rejected == 1
    assert "Turned down" in _page(house, "/macros?q=sorry")


def test_macros_are_written_by_administrators_and_broken_placeholders_told(house: House) -> None:
    client = house.reader()
    fields = {"name": "Order: late", "body": "Order {{ order no }} is late.", "status": "", "route": "", "tags": ""}
    assert "“{{ order no }}” is not a placeholder" in post(client, "/macros/new", **fields)
    good = {**fields, "body": "Order {{ order_no }} is late.", "intents": "track_order", "tags": "late"}
    assert "“Order: late” is offered from now on." in post(client, "/macros/new", **good)
    assert house.reader("agent").get("/macros/new").status_code == 403
    assert house.reader("agent").get("/macros").status_code == 200


def test_the_palette_knows_pages_queues_and_macros(house: House) -> None:
    found = house.reader("agent").get("/palette").get_json()["entries"]
    assert {"Tickets", "Cards and PIN", "Card: block it", "Needs a person"} <= {one["title"] for one in found}
    assert house.reader("analyst").get("/palette").status_code == 403


def test_the_words_that_carried_it_are_a_fragment_or_a_page(house: House) -> None:
    client = house.reader()
    path = f"/tickets/{house.stolen}/predictions/1/words"
    fragment = client.get(path, headers={"X-Requested-With": "fetch"}).get_data(as_text=True)
    assert "<mark" in fragment
    assert "by 40 points" in fragment
    assert "Read as: <del>crad</del> <ins>card</ins>" in fragment
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
