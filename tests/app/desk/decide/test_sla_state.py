from __future__ import annotations

from typing import Any

import pytest

from app.core.durations import HOUR_MS
from app.desk.decide.deadlines import HOURS_FACTOR, clock, hours_left
from app.desk.domain.ticket import SlaState, Ticket

START = 1_770_000_000_000


def ticket(**changes: Any) -> Ticket:
    values: dict[str, Any] = {
        "id": 1,
        "subject": "s",
        "channel": "email",
        "status": "open",
        "priority": "normal",
        "queue_id": 1,
        "customer_id": 1,
        "created_at": START,
        "updated_at": START,
        "first_response_due_at": START + 8 * HOUR_MS,
        "resolution_due_at": START + 48 * HOUR_MS,
    }
    return Ticket(**{**values, **changes})


def test_urgent_tickets_have_less_time() -> None:
    assert HOURS_FACTOR == {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}


def test_hours_left_are_negative_after_the_deadline() -> None:
    assert hours_left(due_at=START, now=START + HOUR_MS) == -1.0
    assert hours_left(due_at=None, now=START) is None


def test_a_ticket_that_waits_for_its_customer_stands_still() -> None:
    waiting = ticket(status="pending", pauses=((START + HOUR_MS, None),))
    assert clock(waiting, now=START + 99 * HOUR_MS) == SlaState(name="paused", left_ms=7 * HOUR_MS)
    late = ticket(status="pending", pauses=((START + 9 * HOUR_MS, None),))
    assert clock(late, now=START + 99 * HOUR_MS).name == "breached"


def test_open_hours_say_when_a_deadline_is_near() -> None:
    weekend = ticket(first_response_due_at=START + 70 * HOUR_MS, first_risk_at=START + 68 * HOUR_MS)
    assert clock(weekend, now=START + 67 * HOUR_MS).name == "ok"
    assert clock(weekend, now=START + 68 * HOUR_MS).name == "at_risk"


@pytest.mark.parametrize(
    ("changes", "after_hours", "expected"),
    [
        ({}, 0, SlaState(name="ok", left_ms=8 * HOUR_MS)),
        ({}, 6, SlaState(name="at_risk", left_ms=2 * HOUR_MS)),
        ({}, 8, SlaState(name="at_risk", left_ms=0)),
        ({}, 9, SlaState(name="breached", left_ms=-HOUR_MS)),
        ({"first_responded_at": START + HOUR_MS}, 9, SlaState(name="ok", left_ms=39 * HOUR_MS, deadline="resolution")),
        ({"first_responded_at": START}, 40, SlaState(name="at_risk", left_ms=8 * HOUR_MS, deadline="resolution")),
        (
            {"status": "solved", "solved_at": START + 47 * HOUR_MS},
            500,
            SlaState(name="met", left_ms=HOUR_MS, deadline="resolution"),
        ),
        (
            {"status": "closed", "solved_at": START + 50 * HOUR_MS},
            50,
            SlaState(name="breached", left_ms=-2 * HOUR_MS, deadline="resolution"),
        ),
        ({"status": "solved", "resolution_due_at": None}, 9, SlaState(name="met", deadline="resolution")),
        (
            {"first_response_due_at": None, "resolution_due_at": None},
            9,
            SlaState(name="ok", left_ms=None, deadline="resolution"),
        ),
    ],
)
def test_the_clock(changes: dict[str, Any], after_hours: int, expected: SlaState) -> None:
    assert clock(ticket(**changes), now=START + after_hours * HOUR_MS) == expected
