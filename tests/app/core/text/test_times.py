"""Times in the forms in which they are sent."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.times import Moment, moment


def _at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-03-04T10:12:13Z", _at(2024, 3, 4, 10, 12, 13)),
        ("2024-03-04 10:12:13+02:00", _at(2024, 3, 4, 8, 12, 13)),
        ("2024-03-04 10:12:13 +0200", _at(2024, 3, 4, 8, 12, 13)),
        ("2024-03-04 10:12:13 UTC", _at(2024, 3, 4, 10, 12, 13)),
        ("2024/03/04 10:12", _at(2024, 3, 4, 10, 12)),
        ("2024-03-04T10:12:13.123456789Z", _at(2024, 3, 4, 10, 12, 13) + 123),
        ("Mon, 04 Mar 2024 10:12:13 GMT", _at(2024, 3, 4, 10, 12, 13)),
        ("Mon, 4 Mar 2024 10:12:13 -0500", _at(2024, 3, 4, 15, 12, 13)),
        ("04 Mar 24 10:12 EST", _at(2024, 3, 4, 15, 12)),
        (1709547133, _at(2024, 3, 4, 10, 12, 13)),
        ("1709547133", _at(2024, 3, 4, 10, 12, 13)),
        (1709547133000, _at(2024, 3, 4, 10, 12, 13)),
        (1709547133.5, _at(2024, 3, 4, 10, 12, 13) + 500),
    ],
)
def test_reads_times(written: object, expected: int) -> None:
    assert moment(written) == Moment(at=expected, precision="second")


@pytest.mark.parametrize("written", ["2024-03-04", "2024/3/4", "20240304", "4 Mar 2024"])
def test_a_day_is_known_by_the_day(written: str) -> None:
    assert moment(written) == Moment(at=_at(2024, 3, 4), precision="day")


def test_a_time_without_a_zone_is_in_the_feeds_zone() -> None:
    assert moment("2024-07-04T10:00:00", zone="America/New_York") == Moment(at=_at(2024, 7, 4, 14))
    assert moment("2024-07-04", zone="Asia/Tokyo") == Moment(at=_at(2024, 7, 3, 15), precision="day")
    assert moment("Thu, 04 Jul 2024 10:00:00", zone="America/New_York") == Moment(at=_at(2024, 7, 4, 14))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "2024-13-45",
        "1850-01-01",
        "9999-12-31",
        "0001-01-01",
        True,
        None,
        [],
        float("nan"),
        float("inf"),
        -5,
        "12:30",
        "5",
    ],
)
def test_what_is_no_time(written: object) -> None:
    assert moment(written) is None


@given(st.text(max_size=60) | st.floats() | st.integers())
def test_anything_may_be_sent_as_a_time(written: object) -> None:
    found = moment(written)
    assert found is None or found.at >= 0
