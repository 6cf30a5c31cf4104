from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.durations import HOUR_MS
from app.desk.decide.deadlines import risk
from app.desk.domain.ticket import Ticket, Urgency

START = 1_770_000_000_000


def key(
    urgency: int, *, hours: float, responded: bool = False, first: float | None = 8, last: float | None = 48
) -> int:
    ticket = Ticket(
        id=1,
        subject="",
        channel="email",
        status="new",
        priority="normal",
        queue_id=1,
        customer_id=1,
        updated_at=START,
        urgency=Urgency(points=urgency, priority="normal", parts=()),
        first_response_due_at=None if first is None else START + round(first * HOUR_MS),
        resolution_due_at=None if last is None else START + round(last * HOUR_MS),
        first_responded_at=START if responded else None,
        created_at=START,
    )
    return risk(ticket, now=START + round(hours * HOUR_MS))


def test_known_keys() -> None:
    assert key(90, hours=0) == 20_000
    assert key(90, hours=8) == 100_000
    assert key(90, hours=16) == 150_000
    assert key(90, hours=1_000) == 150_000
    assert key(0, hours=0, first=None, last=None) == 2_000


def test_an_answered_ticket_waits_for_its_resolution_only() -> None:
    assert key(50, hours=8, responded=True) < key(50, hours=8)
    assert key(50, hours=48, responded=True) == 60_000


def test_a_breached_calm_ticket_stands_above_a_fresh_one_of_more_urgency() -> None:
    assert key(20, hours=9) > key(60, hours=0)


def test_a_new_urgent_ticket_stands_above_a_calm_one_with_half_its_time_left() -> None:
    assert key(80, hours=0) > key(20, hours=4)


@settings(deadline=None)
@given(
    urgency=st.integers(0, 100),
    hours=st.floats(-5, 200),
    more=st.floats(0, 100),
    points=st.integers(0, 50),
    responded=st.booleans(),
)
def test_never_falls_with_time_or_urgency(
    urgency: int, hours: float, more: float, points: int, responded: bool
) -> None:
    now = key(urgency, hours=hours, responded=responded)
    assert key(urgency, hours=hours + more, responded=responded) >= now >= 0
    assert key(urgency + points, hours=hours, responded=responded) >= now


def test_a_deadline_at_the_very_beginning_is_breached_at_once() -> None:
    assert key(0, hours=1, first=0) == 15_000
