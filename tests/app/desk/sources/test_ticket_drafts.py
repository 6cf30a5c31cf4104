"""Tickets from JSON and forms."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InputError, TooLarge
from app.desk.domain.ticket import TicketDraft
from app.desk.sources.ticket_drafts import MAX_BODY, from_form, from_json


def test_reads_every_field() -> None:
    draft = from_json(
        {
            "subject": " Late\r\norder ",
            "body": "Where is it?\0",
            "channel": "Chat",
            "customer": {"name": "Ann Lee", "email": "Ann@Example.org", "tier": "plus"},
            "queue": "orders",
            "external_id": 81,
            "message_id": "<a@b>",
            "in_reply_to": "c@d",
            "references": ["<e@f>"],
            "is_html": True,
            "occurred_at": "2024-03-04T10:00:00Z",
        }
    )
    assert draft == TicketDraft(
        subject="Late order",
        body="Where is it?",
        channel="chat",
        customer_name="Ann Lee",
        customer_email="ann@example.org",
        customer_tier="plus",
        queue="orders",
        external_id="81",
        message_id="a@b",
        in_reply_to="c@d",
        references=("e@f",),
        is_html=True,
        occurred_at=1_709_546_400_000,
    )


@pytest.mark.parametrize("name", ["body", "text", "description", "message"])
def test_a_body_is_enough(name: str) -> None:
    assert from_json({name: "Where?"}) == TicketDraft(subject="", body="Where?", channel="api")


@pytest.mark.parametrize(
    ("payload", "pointer", "code"),
    [
        ({}, "/body", "empty"),
        ({"body": " \n\0"}, "/body", "empty"),
        ({"body": ["x"]}, "/body", "not_text"),
        ({"body": "x", "subject": "s" * 501}, "/subject", "too_long"),
        ({"body": "x", "customer": "Ann"}, "/customer", "not_an_object"),
        ({"body": "x", "customer": {"email": "ann at x"}}, "/customer/email", "not_an_address"),
        ({"body": "x", "customer": {"tier": "gold"}}, "/customer/tier", "unknown_choice"),
        ({"body": "x", "channel": "pigeon"}, "/channel", "unknown_choice"),
        ({"body": "x", "occurred_at": "soon"}, "/occurred_at", "not_a_time"),
        ({"body": "x", "created_at": "soon"}, "/created_at", "not_a_time"),
        ({"body": "x", "is_html": "perhaps"}, "/is_html", "not_a_truth_value"),
        ({"body": "x", "references": 5}, "/references", "not_a_list_of_texts"),
    ],
)
def test_names_the_fault(payload: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        from_json(payload)
    assert [(fault.pointer, fault.code) for fault in caught.value.fields] == [(pointer, code)]


def test_names_all_faults_at_once() -> None:
    with pytest.raises(InputError) as caught:
        from_json({"subject": 5, "channel": 5, "customer": {"email": 5}})
    assert {fault.pointer for fault in caught.value.fields} == {"/body", "/customer/email", "/channel"}


def test_too_large_a_body_is_refused_with_its_size() -> None:
    with pytest.raises(TooLarge) as caught:
        from_json({"body": "x" * (MAX_BODY + 1)})
    assert caught.value.params == {"limit": MAX_BODY, "size": MAX_BODY + 1}


def test_reads_a_form() -> None:
    fields = {
        "subject": "S",
        "body": "B",
        "customer_name": "Ann",
        "customer_email": "a@b.example",
        "customer_tier": "",
        "queue": "",
    }
    draft = from_form(fields)
    assert (draft.channel, draft.customer_email, draft.customer_tier, draft.queue) == (
        "form",
        "a@b.example",
        "standard",
        None,
    )
    with pytest.raises(InputError) as caught:
        from_form({"body": "B", "customer_email": "no"})
    assert caught.value.fields[0].pointer == "/customer_email"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
)
NAMES = st.sampled_from(
    ["body", "subject", "channel", "customer", "queue", "external_id", "references", "is_html", "occurred_at"]
)


@given(st.dictionaries(NAMES, JSON, max_size=9))
def test_any_object_is_read_or_refused(payload: dict[str, Any]) -> None:
    try:
        draft = from_json(payload)
    except InputError:
        return
    assert draft.body.encode("utf-8")
