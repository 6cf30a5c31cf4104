from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.alerts.decide.alert_states import is_notified, next_state, silenced_by
from app.alerts.domain.alert import Alert, AlertState, Rule, Silence, Transition, Verdict
from app.core.durations import HOUR_MS
from app.market.domain.market import SubjectKind

NOW = 1_770_000_000_000
PATIENT = Rule(id=4, name="patient", pending_ms=2 * HOUR_MS, recovering_ms=6 * HOUR_MS)
PROMPT = Rule(id=4, name="prompt", pending_ms=0, recovering_ms=0)
MET = Verdict(is_met=True, observed={"n_negative": 7, "until": NOW})
CLEAR = Verdict(is_met=False, observed={"n_negative": 1, "until": NOW})


def alert(state: AlertState, *, hours_ago: float = 0.0, **changes: Any) -> Alert:
    since = NOW - round(hours_ago * HOUR_MS)
    values: dict[str, Any] = {
        "id": 9,
        "rule_id": 4,
        "subject_kind": "entity",
        "subject_id": "3",
        "state": state,
        "severity": "warning",
        "since_at": since,
        "started_at": since,
        "observed": MET.observed,
        "model": "m@1",
    }
    return Alert(**{**values, **changes})


def step(
    before: Alert | None, *, rule: Rule = PATIENT, verdict: Verdict = MET, now: int = NOW, is_no_data: bool = False
) -> tuple[Alert | None, Transition | None]:
    return next_state(
        before,
        rule=rule,
        verdict=verdict,
        now=now,
        subject_kind="entity",
        subject_id="3",
        model="m@1",
        is_no_data=is_no_data,
    )


Row = tuple[AlertState | None, float, Rule, Verdict, AlertState | None, str | None]
OFF = replace(PATIENT, is_active=False)
TABLE: list[Row] = [
    (None, 0, PATIENT, MET, "pending", "met"),
    (None, 0, PROMPT, MET, "firing", "fired"),
    (None, 0, PATIENT, CLEAR, None, None),
    (None, 0, OFF, MET, None, None),
    ("inactive", 9, PATIENT, MET, "pending", "met"),
    ("inactive", 9, PROMPT, MET, "firing", "fired"),
    ("inactive", 9, PATIENT, CLEAR, "inactive", None),
    ("inactive", 9, OFF, MET, "inactive", None),
    ("pending", 1, PATIENT, MET, "pending", None),
    ("pending", 2, PATIENT, MET, "firing", "fired"),
    ("pending", -1, PATIENT, MET, "pending", None),
    ("pending", 9, PROMPT, MET, "firing", "fired"),
    ("pending", 9, PATIENT, CLEAR, "inactive", "cleared"),
    ("pending", 0, OFF, MET, "inactive", "rule_off"),
    ("firing", 99, PATIENT, MET, "firing", None),
    ("firing", 0, PATIENT, CLEAR, "recovering", "cleared"),
    ("firing", 0, PROMPT, CLEAR, "resolved", "cleared"),
    ("firing", 0, OFF, MET, "resolved", "rule_off"),
    ("recovering", 5, PATIENT, CLEAR, "recovering", None),
    ("recovering", 6, PATIENT, CLEAR, "resolved", "cleared"),
    ("recovering", -1, PATIENT, CLEAR, "recovering", None),
    ("recovering", 9, PATIENT, MET, "firing", "returned"),
    ("recovering", 0, PROMPT, CLEAR, "resolved", "cleared"),
    ("recovering", 0, OFF, CLEAR, "resolved", "rule_off"),
    ("resolved", 9, PATIENT, MET, "pending", "met"),
    ("resolved", 9, PROMPT, MET, "firing", "fired"),
    ("resolved", 9, PATIENT, CLEAR, "resolved", None),
    ("resolved", 9, OFF, MET, "resolved", None),
]


@pytest.mark.parametrize(("before", "hours", "rule", "verdict", "after", "reason"), TABLE)
def test_every_step(
    before: AlertState | None,
    hours: float,
    rule: Rule,
    verdict: Verdict,
    after: AlertState | None,
    reason: str | None,
) -> None:
    given_alert = None if before is None else alert(before, hours_ago=hours)
    found, transition = step(given_alert, rule=rule, verdict=verdict)
    assert (None if found is None else found.state) == after
    if reason is None:
        assert transition is None
    else:
        assert transition == Transition(before=before_of(before), after=after or "inactive", at=NOW, reason=reason)
        assert found is not None
        assert found.since_at == NOW


def before_of(state: AlertState | None) -> AlertState:
    # A resolved alert stays as it is; the new episode begins from nothing.
    return "inactive" if state in (None, "resolved") else state


def test_a_resolved_alert_opens_again_as_a_new_one() -> None:
    old = alert("resolved", hours_ago=1, firing_at=NOW - 9, acknowledged_at=NOW - 5, acknowledged_by=1)
    new, _ = step(old)
    assert new is not None
    assert (new.id, new.started_at, new.firing_at, new.acknowledged_at, new.version) == (0, NOW, None, None, 1)


def test_an_alert_that_never_fired_is_used_again() -> None:
    new, _ = step(alert("inactive", hours_ago=5))
    assert new is not None
    assert (new.id, new.started_at) == (9, NOW)


def test_a_return_keeps_the_episode_and_its_acknowledgement() -> None:
    before = alert("recovering", hours_ago=1, firing_at=NOW - 9 * HOUR_MS, clear_at=NOW - HOUR_MS, acknowledged_by=1)
    after, transition = step(before)
    assert after is not None
    assert transition is not None
    assert (after.firing_at, after.clear_at, after.acknowledged_by) == (NOW - 9 * HOUR_MS, None, 1)
    assert not is_notified(transition)


def test_nothing_new_is_nothing_to_write() -> None:
    firing = alert("firing", hours_ago=3)
    moved = Verdict(is_met=True, observed={"n_negative": 7, "until": NOW + HOUR_MS})
    assert step(firing, verdict=moved, now=NOW + HOUR_MS) == (firing, None)
    grown, _ = step(firing, verdict=Verdict(is_met=True, observed={"n_negative": 8}))
    assert grown == replace(firing, observed={"n_negative": 8})


@pytest.mark.parametrize("state", ["pending", "firing", "recovering"])
def test_without_data_nothing_moves(state: AlertState) -> None:
    before = alert(state, hours_ago=99)
    held, transition = step(before, verdict=CLEAR, is_no_data=True)
    assert (held, transition) == (replace(before, is_no_data=True), None)
    back, _ = step(held, verdict=MET)
    assert back is not None
    assert not back.is_no_data


def test_without_data_what_is_over_stays_over() -> None:
    assert step(alert("resolved"), is_no_data=True) == (alert("resolved"), None)
    assert step(None, is_no_data=True) == (None, None)


EVALUATIONS = st.lists(st.tuples(st.booleans(), st.integers(0, 4 * HOUR_MS), st.integers(0, 9)), max_size=60)


@settings(deadline=None)
@given(evaluations=EVALUATIONS, pending_hours=st.integers(0, 3), recovering_hours=st.integers(0, 8))
def test_the_promises_of_the_machine(
    evaluations: list[tuple[bool, int, int]], pending_hours: int, recovering_hours: int
) -> None:
    rule = Rule(id=4, name="r", pending_ms=pending_hours * HOUR_MS, recovering_ms=recovering_hours * HOUR_MS)
    now, current, n_episodes = NOW, None, 0
    met_since: int | None = None
    clear_since: int | None = None
    fired: dict[int, int] = {}
    for is_met, wait, n_arrived in evaluations:
        now += wait
        has_data = n_arrived > 0
        if has_data:
            met_since = (met_since or now) if is_met else None
            clear_since = None if is_met else (clear_since or now)
        before = current
        current, transition = step(before, rule=rule, verdict=Verdict(is_met=is_met), now=now, is_no_data=not has_data)
        if current is not None and current.id == 0:
            n_episodes += 1
            current = replace(current, id=n_episodes)
        if transition is None:
            assert (before is None) == (current is None)
            continue
        assert current is not None
        assert has_data
        if transition.reason == "fired":
            fired[current.id] = fired.get(current.id, 0) + 1
            assert met_since is not None
            assert now - met_since >= rule.pending_ms
            assert transition.before == ("pending" if rule.pending_ms else "inactive")
        if transition.after == "resolved":
            assert clear_since is not None
            assert now - clear_since >= rule.recovering_ms
            assert fired[current.id] == 1
    assert all(times == 1 for times in fired.values())


@pytest.mark.parametrize(
    ("after", "reason", "expected"),
    [
        ("pending", "met", False),
        ("firing", "fired", True),
        ("firing", "returned", False),
        ("recovering", "cleared", False),
        ("inactive", "cleared", False),
        ("inactive", "rule_off", False),
        ("resolved", "cleared", True),
        ("resolved", "rule_off", True),
    ],
)
def test_receivers_hear_of_the_beginning_and_the_end(after: AlertState, reason: str, expected: bool) -> None:
    assert is_notified(Transition(before="inactive", after=after, at=NOW, reason=reason)) == expected


@pytest.mark.parametrize(
    ("kind", "subject_id", "since", "until", "expected"),
    [
        ("entity", "3", NOW - 1, NOW + 1, True),
        ("entity", "3", NOW, NOW + 1, True),
        ("entity", "3", NOW - 1, NOW, False),
        ("entity", "3", NOW + 1, NOW + 2, False),
        ("entity", "4", NOW - 1, NOW + 1, False),
        ("topic", "3", NOW - 1, NOW + 1, False),
        ("entity", None, NOW - 1, NOW + 1, True),
        (None, None, NOW - 1, NOW + 1, True),
    ],
)
def test_a_silence_covers_its_subject_and_time(
    kind: SubjectKind | None, subject_id: str | None, since: int, until: int, expected: bool
) -> None:
    silence = Silence(
        id=1, subject_kind=kind, subject_id=subject_id, since=since, until=until, user_id=1, comment="known"
    )
    found = silenced_by([silence], subject_kind="entity", subject_id="3", now=NOW)
    assert found == (silence if expected else None)
