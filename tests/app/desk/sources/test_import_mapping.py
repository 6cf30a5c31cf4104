"""Exports of other desks: whose they are, what their columns mean, and what their records hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import InputError
from app.core.text.file_rows import RowFault
from app.desk.domain.import_file import MovedTicket
from app.desk.sources import import_mapping, import_records
from tests.app.desk.sources.desk_exports import PLAIN_CSV, ZENDESK, ZENDESK_CSV, document, lines

MARCH_1 = 1_677_664_800_000  # 2023-03-01 10:00 UTC


def rows_of(content: bytes, name: str = "export") -> list[Any]:
    """All records of a file."""
    return list(import_records.records(content, form=import_records.form_of(name, content)))


def tickets_of(content: bytes) -> list[MovedTicket | InputError]:
    """All records as tickets, with the mapping that is guessed; what cannot be read as its error."""
    rows = rows_of(content)
    names = import_records.columns(rows)
    source = import_mapping.source_of(names)
    mapping = import_mapping.checked(import_mapping.suggested(names, source=source), names=names)
    found: list[MovedTicket | InputError] = []
    for _, record in rows:
        try:
            found.append(import_mapping.ticket_of(record, mapping=mapping, source=source))
        except InputError as error:
            found.append(error)
    return found


def test_zendesk_lines_hold_whole_threads() -> None:
    closed, held = tickets_of(lines())
    assert isinstance(closed, MovedTicket)
    assert isinstance(held, MovedTicket)
    assert (closed.external_id, closed.status, closed.priority, closed.channel) == (
        "zendesk:35436",
        "closed",
        "high",
        "email",
    )
    assert (closed.customer_name, closed.customer_email, closed.queue) == ("Ana Costa", "ana@example.com", "Refunds")
    assert (closed.tags, closed.created_at) == (("printer", "fire"), MARCH_1)
    assert [(one.kind, one.body) for one in closed.messages] == [
        ("incoming", "The fire is very colourful."),
        ("outgoing", "Please use water."),
        ("note", "Not our printer."),
    ]
    assert (held.status, held.priority, held.channel) == ("pending", None, "form")
    assert [(one.kind, one.body) for one in held.messages] == [("incoming", "I want a refund for order 7")]


def test_the_same_as_one_document_reads_the_same() -> None:
    whole = json.dumps({"tickets": ZENDESK, "next_page": None}).encode()
    assert tickets_of(whole) == tickets_of(lines())


def test_chatwoot_conversations() -> None:
    (found,) = tickets_of(document())
    assert isinstance(found, MovedTicket)
    assert (found.external_id, found.status, found.priority, found.channel) == (
        "chatwoot:8",
        "solved",
        "normal",
        "chat",
    )
    assert (found.customer_email, found.tags, found.created_at) == ("chen@example.com", ("billing",), MARCH_1)
    # Who joined is bookkeeping and no message.
    assert [(one.kind, one.author_name) for one in found.messages] == [("incoming", "Chen Li"), ("outgoing", "Ines")]


def test_zendesk_tables_have_no_text_so_the_subject_is_it() -> None:
    first, second, third = tickets_of(ZENDESK_CSV.encode())
    assert isinstance(first, MovedTicket)
    assert (first.external_id, first.priority, first.tags) == ("zendesk:91", "urgent", ("refund", "vip"))
    assert [one.body for one in first.messages] == ["Refund, please"]
    assert isinstance(second, InputError)
    assert second.code == "not_an_address"
    # Every fault of a row is collected; the first is told.
    assert isinstance(third, InputError)
    assert [one.code for one in third.fields] == ["not_a_time", "unknown_choice"]


def test_columns_of_a_plain_table_are_chosen_by_hand() -> None:
    rows = rows_of(PLAIN_CSV.encode())
    names = import_records.columns(rows)
    assert names == ("reference", "question", "e_mail_address", "done")
    assert import_mapping.source_of(names) == "plain"
    guessed = import_mapping.suggested(names, source="plain")
    assert guessed == {"external_id": "reference", "body": "question"}
    mapping = import_mapping.checked({**guessed, "customer_email": "e_mail_address", "status": "done"}, names=names)
    found = import_mapping.ticket_of(rows[0][1], mapping=mapping, source="plain")
    assert (found.external_id, found.customer_email, found.status) == ("A-1", "kim@example.com", "solved")
    with pytest.raises(InputError, match="empty_message"):
        import_mapping.ticket_of(rows[1][1], mapping=mapping, source="plain")


def test_a_record_without_a_number_is_known_by_what_it_says() -> None:
    record = {"text": "Where is my order?"}
    first = import_mapping.ticket_of(record, mapping={"body": "text"}, source="plain")
    again = import_mapping.ticket_of(dict(record), mapping={"body": "text"}, source="plain")
    other = import_mapping.ticket_of({"text": "Where is it?"}, mapping={"body": "text"}, source="plain")
    assert first.external_id == again.external_id != other.external_id


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"subject": "nowhere"}, "no_such_column"),
        ({"colour": "question"}, "unknown_value"),
        ({"status": "done"}, "no_text_column"),
        ({"body": "", "subject": ""}, "no_text_column"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(mapping: dict[str, str], code: str) -> None:
    with pytest.raises(InputError, match=code):
        import_mapping.checked(mapping, names=("reference", "question", "done"))


@pytest.mark.parametrize(("content", "code"), [(b"", "empty_file"), (b'{"a": 1}', "no_records")])
def test_files_without_tickets_are_refused(content: bytes, code: str) -> None:
    with pytest.raises(InputError, match=code):
        rows_of(content)


def test_a_list_of_lists_is_faults_and_a_header_alone_is_nothing() -> None:
    assert rows_of(b"[[1], [2]]") == [RowFault(row=1, code="not_an_object"), RowFault(row=2, code="not_an_object")]
    assert rows_of(b"id,subject\n") == []


def test_broken_lines_cost_themselves_alone() -> None:
    rows = rows_of(lines() + b'\n{"id": 1, "subject": \n[]\n')
    assert [type(row) for row in rows] == [tuple, tuple, RowFault, RowFault]
    assert [row.code for row in rows if isinstance(row, RowFault)] == ["not_json", "not_an_object"]


def test_endless_nesting_and_odd_threads_are_survived() -> None:
    deep: dict[str, Any] = {"id": 1, "subject": "x"}
    here = deep
    for _ in range(50):
        here["more"] = {}
        here = here["more"]
    rows = rows_of(json.dumps([deep]).encode())
    assert set(rows[0][1]) == {"id", "subject"}
    record = {"id": 2, "subject": "Odd", "comments": [None, 7, {"body": 3}, {"body": " "}, ["x"], "Hello there"]}
    found = import_mapping.ticket_of(record, mapping={"external_id": "id", "thread": "comments"}, source="zendesk")
    assert [(one.kind, one.body) for one in found.messages] == [("incoming", "Hello there")]
