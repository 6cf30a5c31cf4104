"""Business time: nights, weekends, holidays, pauses and the two days a year that are not 24 hours long."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.durations import DAY_MS, HOUR_MS
from app.desk.decide.deadlines import due
from app.desk.domain.sla_policy import Pause, SlaPolicy

DUBLIN = ZoneInfo("Europe/Dublin")
WEEK = tuple((day, 9 * 60, 18 * 60) for day in range(5))
OFFICE = SlaPolicy(zone="Europe/Dublin", hours=(*WEEK, (5, 10 * 60, 14 * 60)), holidays=("2026-12-25",))
ALWAYS = SlaPolicy()


def at(text: str, zone: ZoneInfo = DUBLIN) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def when(ms: int, zone: ZoneInfo = DUBLIN) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).strftime("%a %d %b %H:%M")


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02 10:00", 4, "Mon 02 Mar 14:00"),
        ("2026-03-02 16:00", 4, "Tue 03 Mar 11:00"),
        ("2026-03-02 18:00", 1, "Tue 03 Mar 10:00"),
        ("2026-03-02 03:00", 1, "Mon 02 Mar 10:00"),
        ("2026-03-06 17:00", 2, "Sat 07 Mar 11:00"),
        ("2026-03-07 13:00", 2, "Mon 09 Mar 10:00"),
        ("2026-03-08 12:00", 9, "Mon 09 Mar 18:00"),
        # Christmas is closed, and the day after is a Saturday.
        ("2026-12-24 17:00", 2, "Sat 26 Dec 11:00"),
        # The clocks go forward on Sunday 29 March and back on Sunday 25 October: no opening loses an hour.
        ("2026-03-28 13:00", 2, "Mon 30 Mar 10:00"),
        ("2026-10-24 13:00", 2, "Mon 26 Oct 10:00"),
    ],
)
def test_open_hours(start: str, hours: float, end: str) -> None:
    assert when(due(at(start), allowance_ms=round(hours * HOUR_MS), policy=OFFICE)) == end


def test_a_night_shift_over_the_change_of_clocks_has_its_real_length() -> None:
    night = SlaPolicy(zone="Europe/Dublin", hours=((6, 0, 6 * 60),))
    # From midnight to six there are five hours in spring and seven in autumn.
    assert when(due(at("2026-03-29 00:00"), allowance_ms=5 * HOUR_MS, policy=night)) == "Sun 29 Mar 06:00"
    assert when(due(at("2026-10-25 00:00"), allowance_ms=7 * HOUR_MS, policy=night)) == "Sun 25 Oct 06:00"


def test_the_zone_is_the_policy_s() -> None:
    shanghai = SlaPolicy(zone="Asia/Shanghai", hours=WEEK)
    end = due(at("2026-03-02 12:00", ZoneInfo("UTC")), allowance_ms=HOUR_MS, policy=shanghai)
    assert when(end, ZoneInfo("Asia/Shanghai")) == "Tue 03 Mar 10:00"


def test_waiting_for_the_customer_does_not_count() -> None:
    pauses: tuple[Pause, ...] = ((at("2026-03-02 11:00"), at("2026-03-03 10:00")), (at("2026-03-03 11:00"), None))
    end = due(at("2026-03-02 10:00"), allowance_ms=4 * HOUR_MS, policy=OFFICE, pauses=pauses)
    assert when(end) == "Tue 03 Mar 13:00"
    assert due(0, allowance_ms=DAY_MS, policy=ALWAYS, pauses=((HOUR_MS, 3 * HOUR_MS),)) == DAY_MS + 2 * HOUR_MS


def test_a_desk_that_never_opens_counts_calendar_time() -> None:
    year = tuple(f"2026-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 32))
    closed = SlaPolicy(hours=((0, 540, 600),), holidays=year)
    assert due(5, allowance_ms=7, policy=ALWAYS) == 12
    assert due(at("2026-01-01 00:00"), allowance_ms=HOUR_MS, policy=closed) > at("2026-12-31 00:00")


@given(
    start=st.integers(1_700_000_000_000, 1_900_000_000_000),
    hours=st.floats(0.1, 60),
    pause=st.tuples(st.integers(0, 5 * DAY_MS), st.integers(0, 5 * DAY_MS)),
)
def test_a_pause_and_a_longer_allowance_never_bring_the_end_nearer(
    start: int, hours: float, pause: tuple[int, int]
) -> None:
    allowance = round(hours * HOUR_MS)
    plain = due(start, allowance_ms=allowance, policy=OFFICE)
    began = start + pause[0]
    assert due(start, allowance_ms=allowance, policy=OFFICE, pauses=((began, began + pause[1]),)) >= plain
    assert due(start, allowance_ms=allowance + HOUR_MS, policy=OFFICE) >= plain + HOUR_MS
