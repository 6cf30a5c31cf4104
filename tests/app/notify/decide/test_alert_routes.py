"""Routes as tables: who hears of what, when, and together with what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.alerts.domain.alert import Alert
from app.core.durations import HOUR_MS
from app.core.errors import InputError
from app.notify.decide import alert_routes
from app.notify.domain.notification import Receiver

NOW = 1_770_000_000_000
LABELS = {"alertname": "Surge", "severity": "warning", "subject": "Larkspur Bank", "sector": "Banks"}


def receiver(**changes: Any) -> Receiver:
    return Receiver(**{"id": 7, "name": "desk", "kind": "webhook", "url": "https://x.example", **changes})


def alert(**changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": 3,
        "rule_id": 4,
        "subject_kind": "entity",
        "subject_id": "1",
        "state": "firing",
        "severity": "warning",
        "since_at": NOW,
        "started_at": NOW,
        "firing_at": NOW,
    }
    return Alert(**{**values, **changes})


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("sector = Banks", True),
        ('sector = "banks"', True),
        ("sector != Banks", False),
        ("severity =~ warning|critical", True),
        ("severity !~ warning|critical", False),
        ("subject =~ *bank*", True),
        ("subject =~ bank*", False),
        ("sector = Banks\nseverity = critical", False),
    ],
)
def test_matchers(text: str, expected: bool) -> None:
    matchers = alert_routes.parsed_matchers(text)
    assert alert_routes.matches(receiver(matchers=matchers), labels=LABELS) == expected


@pytest.mark.parametrize("text", ["colour = red", "sector", "sector ~ x", "= x"])
def test_a_matcher_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="bad_matcher"):
        alert_routes.parsed_matchers(text)


@pytest.mark.parametrize(
    ("zone", "start", "end", "when", "expected"),
    [
        ("UTC", 22 * 60, 7 * 60, "2026-03-02T23:30:00+00:00", True),
        ("UTC", 22 * 60, 7 * 60, "2026-03-02T06:59:00+00:00", True),
        ("UTC", 22 * 60, 7 * 60, "2026-03-02T07:00:00+00:00", False),
        ("UTC", 9 * 60, 17 * 60, "2026-03-02T12:00:00+00:00", True),
        ("Asia/Shanghai", 22 * 60, 7 * 60, "2026-03-02T15:00:00+00:00", True),
        # The night that summer time begins: 07:00 in Berlin is 05:00 UTC, not 06:00.
        ("Europe/Berlin", 22 * 60, 7 * 60, "2026-03-29T04:59:00+00:00", True),
        ("Europe/Berlin", 22 * 60, 7 * 60, "2026-03-29T05:00:00+00:00", False),
        ("UTC", 60, 60, "2026-03-02T01:00:00+00:00", False),
    ],
)
def test_quiet_hours(zone: str, start: int, end: int, when: str, expected: bool) -> None:
    found = alert_routes.is_quiet(receiver(zone=zone, quiet_from=start, quiet_until=end), now=at(when))
    assert found == expected


def test_a_digest_is_due_once_a_day_at_its_hour() -> None:
    daily = receiver(zone="Europe/Berlin", digest_at=8 * 60, digested_at=at("2026-03-27T07:00:00+00:00"))
    assert alert_routes.digest_due(daily, now=at("2026-03-28T06:59:00+00:00")) is None
    assert alert_routes.digest_due(daily, now=at("2026-03-28T07:00:00+00:00")) == at("2026-03-28T07:00:00+00:00")
    # Eight in the morning of summer time, also when it is asked the day after.
    assert alert_routes.digest_due(daily, now=at("2026-03-29T06:30:00+00:00")) == at("2026-03-29T06:00:00+00:00")
    assert alert_routes.digest_due(daily, now=at("2026-03-30T05:00:00+00:00")) == at("2026-03-29T06:00:00+00:00")
    assert alert_routes.digest_due(receiver(), now=NOW) is None


@pytest.mark.parametrize(
    ("route", "hours", "acknowledged", "expected"),
    [
        ({}, 0, False, ["firing"]),
        ({}, 99, True, ["firing"]),
        ({"repeat_ms": 4 * HOUR_MS}, 3, False, ["firing"]),
        ({"repeat_ms": 4 * HOUR_MS}, 9, False, ["firing", "repeat_2"]),
        ({"repeat_ms": 4 * HOUR_MS}, 9, True, ["firing"]),
        ({"escalate_ms": HOUR_MS}, 0, False, []),
        ({"escalate_ms": HOUR_MS}, 1, False, ["escalation"]),
        ({"escalate_ms": HOUR_MS}, 1, True, []),
    ],
)
def test_what_is_told_by_when(route: dict[str, int], hours: int, acknowledged: bool, expected: list[str]) -> None:
    taken = NOW + 1 if acknowledged else None
    told = alert_routes.begun(alert(acknowledged_at=taken), receiver=receiver(**route), now=NOW + hours * HOUR_MS)
    assert [one.key.removeprefix(f"msg_alr_3_{NOW}_").replace("_7", "") for one in told] == expected


def test_what_goes_out_together() -> None:
    by_sector = receiver(group_by="sector")
    same = {**LABELS, "subject": "Other"}
    first = alert_routes.group_key(by_sector, kind="firing", labels=LABELS)
    assert first == alert_routes.group_key(by_sector, kind="firing", labels=same)
    assert first != alert_routes.group_key(by_sector, kind="resolved", labels=LABELS)
    assert alert_routes.group_key(receiver(), kind="firing", labels=LABELS) is None
