"""Ids and times as they look outside, and faults as pointers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from app.web.api.api_shapes import Between, Id, OneOf, Shape, Size, at, faults, instant


class _Inner(Shape):
    name = fields.String(required=True, validate=Size(min=1, max=3))


class _Outer(Shape):
    rows = fields.List(fields.Nested(_Inner))
    number = fields.Integer(validate=Between(1, 5))
    kind = fields.String(validate=OneOf(("a", "b")))
    thing = Id("tkt")


def _faults(sent: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        _Outer().load(sent)
    return {fault.pointer: fault.code for fault in faults(caught.value).fields}


def test_faults_point_at_their_place() -> None:
    sent = {"rows": [{"name": "ok"}, {}, {"name": "long"}, 4], "number": 9, "kind": "c", "thing": "alr_4"}
    assert _faults(sent) == {
        "/rows/1/name": "required",
        "/rows/2/name": "too_long",
        "/rows/3": "not_object",
        "/number": "out_of_bounds",
        "/kind": "unknown_choice",
        "/thing": "bad_id",
    }


@pytest.mark.parametrize("sent", [None, [], "x", 4])
def test_what_is_no_object_points_at_the_whole(sent: object) -> None:
    assert set(_faults(sent)) == {""}


def test_unknown_fields_are_ignored() -> None:
    assert _Outer().load({"colour": "red", "rows": [{"name": "x", "size": 4}]}) == {"rows": [{"name": "x"}]}


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_a_time_survives_the_way_out_and_back(ms: int) -> None:
    assert at(instant(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:01+01:00", 1000),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01", 0),
    ],
)
def test_times_are_read_with_and_without_zone(text: str, ms: int) -> None:
    assert at(text) == ms


@pytest.mark.parametrize("value", ["", "yesterday", "2026-13-01T00:00:00Z", 4, None, [], "9999999-01-01T00:00:00Z"])
def test_other_times_are_faults(value: object) -> None:
    with pytest.raises(ValidationError):
        at(value)


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats()))
def test_an_id_is_a_number_or_a_fault(value: object) -> None:
    try:
        found = Id("tkt").deserialize(value)
    except ValidationError:
        return
    assert isinstance(found, int)
    assert found >= 0
