"""Rows of files: what is broken is told by its line, and costs no other row."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InputError
from app.core.text.file_rows import Row, RowFault, csv_rows, json_rows, row_alone

KNOWN = frozenset({"title", "text"})


def _csv(lines: bytes | str | list[str] | list[bytes]) -> list[Row | RowFault]:
    return list(csv_rows(lines, known=KNOWN))


@pytest.mark.parametrize(
    "raw",
    [
        "title,url\nné,u\n".encode(),
        "title,url\nné,u\n".encode("utf-8-sig"),
        "title;url\r\nné;u\r\n".encode("cp1252"),
        "title\turl\rné\tu\r".encode(),
        "title|url\nné|u".encode("utf-16"),
        '"Title","URL"\n"né","u"\n'.encode(),
        "\n\ntitle,url\n\n\nné,u\n\n".encode(),
    ],
)
def test_delimiters_marks_and_encodings(raw: bytes) -> None:
    values = [row[1] for row in csv_rows(raw, known=KNOWN) if isinstance(row, tuple)]
    assert values == [{"title": "né", "url": "u"}]


def test_lines_may_be_given_one_by_one() -> None:
    assert _csv(["title\n", "a\n"]) == _csv([b"title\n", b"a\n"]) == [(2, {"title": "a"})]


def test_quoted_cells_hold_delimiters_and_line_ends() -> None:
    assert _csv('title,text\n"a, ""b""","c\nd"\ne,f\n') == [
        (2, {"title": 'a, "b"', "text": "c\nd"}),
        (4, {"title": "e", "text": "f"}),
    ]


def test_a_quote_that_never_closes_costs_one_row() -> None:
    assert _csv('title,text\na,b\n"c,d\ne,f\ng,h\n') == [
        (2, {"title": "a", "text": "b"}),
        RowFault(row=3, code="unclosed_quote"),
        (4, {"title": "e", "text": "f"}),
        (5, {"title": "g", "text": "h"}),
    ]


def test_a_quote_that_swallows_a_large_file_costs_one_row() -> None:
    rows = _csv('title\n"open\n' + "row\n" * 60_000)
    assert rows[0] == RowFault(row=2, code="unclosed_quote")
    assert len(rows) == 60_001
    assert rows[-1] == (60_002, {"title": "row"})


def test_lines_that_each_open_a_quote_take_no_quadratic_time() -> None:
    before = time.process_time()
    rows = _csv("title,text\n" + 'a","\n' * 30_000)
    assert {row.code for row in rows if isinstance(row, RowFault)} == {"unclosed_quote"}
    assert time.process_time() - before < 5


def test_a_cell_that_is_too_long_is_told_and_costs_one_row() -> None:
    large = "x" * 131_073
    assert _csv(f"title,text\n{large},b\nc,d\n") == [
        RowFault(row=2, code="too_long", params={"limit": 131_072}),
        (3, {"title": "c", "text": "d"}),
    ]


def test_a_column_name_that_is_too_long_is_told() -> None:
    with pytest.raises(InputError) as caught:
        _csv("title" * 30_000 + ",text\na,b\n")
    assert (caught.value.code, caught.value.params) == ("long_column", {"limit": 131_072})
    many = ";".join(["title", *(f"column{number}" for number in range(20_000))])
    assert _csv(f"{many}\na\n") == [(2, {"title": "a"})], "a long line of short names is a header"


def test_a_fault_carries_its_row_as_a_file_of_its_own() -> None:
    rows = _csv('title,text\na,b,c\n"d,e\nf,g\n')
    faults = [row for row in rows if isinstance(row, RowFault)]
    told = [("csv", "title,text\na,b,c\n"), ("csv", 'title,text\n"d,e\n')]
    assert [(fault.form, fault.raw) for fault in faults] == told
    assert _csv(faults[0].raw) == [RowFault(row=2, code="too_many_columns", params={"expected": 2, "found": 3})]
    lines = [(row.form, row.raw) for row in json_rows('{"title": \n') if isinstance(row, RowFault)]
    assert lines == [("jsonl", '{"title":')]
    values = {"title": "a, b", "text": "c\nd"}
    assert _csv(row_alone(values, form="csv")) == [(2, values)]
    assert list(json_rows(row_alone(values, form="jsonl"))) == [(1, values)]


def test_too_many_columns_is_a_fault_and_too_few_is_not() -> None:
    assert _csv("title,text\na,b,c\na\na,b,,\n") == [
        RowFault(row=2, code="too_many_columns", params={"expected": 2, "found": 3}),
        (3, {"title": "a"}),
        (4, {"title": "a", "text": "b"}),
    ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"", "empty_file"), (b"\n \n", "empty_file"), (b"a,b\n1,2\n", "no_known_column"), (b"\0\1\2", "no_known_column")],
)
def test_a_file_that_cannot_be_read_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        _csv(raw)
    assert caught.value.code == code


def test_json_lines_report_bad_rows_by_line() -> None:
    raw = (
        b'\xef\xbb\xbf{"a": 1}\n\nnot json\n[1]\n{"a": "\xe9"}\n' + b"[" * 100_000 + b'\n{"n": ' + b"9" * 5000 + b"}\n"
    )
    rows = list(json_rows(raw))
    assert rows == [
        (1, {"a": 1}),
        RowFault(row=3, code="not_json"),
        RowFault(row=4, code="not_an_object"),
        (5, {"a": "é"}),
        RowFault(row=6, code="not_json"),
        RowFault(row=7, code="not_json"),
    ]


def test_an_endless_line_is_a_fault() -> None:
    assert list(json_rows('{"a": "' + "x" * 1_000_001 + '"}')) == [
        RowFault(row=1, code="too_long", params={"limit": 1_000_000, "size": 1_000_010})
    ]


@given(st.lists(st.text(alphabet='ab,;"\n\r\0', max_size=12), max_size=8))
def test_no_row_is_lost(lines: list[str]) -> None:
    raw = "title,text\n" + "\n".join(lines)
    told = {row.row if isinstance(row, RowFault) else row[0] for row in _csv(raw)}
    assert len(told) == len(_csv(raw))
    assert all(2 <= number <= raw.count("\n") + raw.count("\r") + 1 for number in told)
    if any(set(line) & {"a", "b"} for line in lines):
        assert told
