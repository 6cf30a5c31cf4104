"""The state machine of an alert: inactive → pending → firing → recovering → resolved.

    inactive   condition met        → pending (or firing at once when the rule does not wait)
    pending    gone                 → inactive;   met for pending_ms      → firing
    firing     gone                 → recovering (or resolved at once when the rule does not wait)
    recovering met again            → firing, the same episode, nobody is told twice
    recovering gone for recovering_ms → resolved
    resolved   met                  → a new alert (id 0): a new episode, once cooldown_ms have passed

An episode fires once: `firing_at` is set with reason `fired` and kept through every return. Time that runs backwards
moves nothing; what is dated after the present, because the clock was wrong then, is taken to begin now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.alerts.domain.alert import OPEN_STATES, Alert, AlertState, Rule, Silence, Transition, Verdict
from app.market.domain.market import SubjectKind

Step = tuple[Alert | None, Transition | None]


def next_state(
    alert: Alert | None,
    *,
    rule: Rule,
    verdict: Verdict,
    now: int,
    subject_kind: SubjectKind,
    subject_id: str,
    model: str,
    is_no_data: bool = False,
) -> Step:
    """Return the alert after one evaluation, and the transition if its state changed.

    `alert` is the newest of this rule and subject (None: there is none); a new one comes back with the id 0.
    An equal alert comes back when there is nothing to write. `is_no_data` (the feed lags) holds every state
    and sets the flag. A rule that is switched off ends its open alert with the reason `rule_off`.
    """
    if not rule.is_active:
        return _switched_off(alert, now=now)
    if is_no_data:
        return _held(alert), None
    if alert is None or alert.state == "resolved":
        if not verdict.is_met or _is_cooling(alert, rule=rule, now=now):
            return alert, None
        return _opened(
            Alert(
                id=0,
                rule_id=rule.id,
                subject_kind=subject_kind,
                subject_id=subject_id,
                state="inactive",
                severity=rule.severity,
                since_at=now,
                started_at=now,
                model=model,
            ),
            rule=rule,
            verdict=verdict,
            now=now,
        )
    alert = replace(alert, is_no_data=False, since_at=min(alert.since_at, now))
    if not verdict.is_met:
        return _on_clear(alert, rule=rule, now=now)
    return _on_met(_refreshed(alert, verdict=verdict, model=model), rule=rule, verdict=verdict, now=now)


def is_notified(transition: Transition) -> bool:
    """Return True for a transition that receivers hear of: the alert fires, or it ends."""
    return (transition.after, transition.reason) in {
        ("firing", "fired"),
        ("resolved", "cleared"),
        ("resolved", "rule_off"),
    }


def silenced_by(silences: Iterable[Silence], *, subject_kind: SubjectKind, subject_id: str, now: int) -> Silence | None:
    """Return the silence in force for a subject, the longest of several; None when there is none."""
    in_force = [
        silence
        for silence in silences
        if silence.since <= now < silence.until
        and silence.subject_kind in (None, subject_kind)
        and silence.subject_id in (None, subject_id)
    ]
    return max(in_force, key=lambda silence: silence.until, default=None)


def _is_cooling(alert: Alert | None, *, rule: Rule, now: int) -> bool:
    return alert is not None and alert.resolved_at is not None and 0 <= now - alert.resolved_at < rule.cooldown_ms


def _held(alert: Alert | None) -> Alert | None:
    return replace(alert, is_no_data=True) if alert is not None and alert.state in OPEN_STATES else alert


def _refreshed(alert: Alert, *, verdict: Verdict, model: str) -> Alert:
    # Where the window stands moves with every evaluation; only figures that moved too are worth a write.
    if _figures(alert.observed) == _figures(verdict.observed) and alert.model == model:
        return alert
    return replace(alert, observed=dict(verdict.observed), model=model)


def _figures(observed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in observed.items() if name not in ("since", "until")}


def _on_met(alert: Alert, *, rule: Rule, verdict: Verdict, now: int) -> Step:
    if alert.state == "inactive":
        return _opened(replace(alert, started_at=now, severity=rule.severity), rule=rule, verdict=verdict, now=now)
    if alert.state == "pending" and now - alert.since_at >= rule.pending_ms:
        return _moved(replace(alert, firing_at=now), after="firing", now=now, reason="fired")
    if alert.state == "recovering":
        return _moved(replace(alert, clear_at=None), after="firing", now=now, reason="returned")
    return alert, None


def _on_clear(alert: Alert, *, rule: Rule, now: int) -> Step:
    if alert.state == "pending":
        return _moved(alert, after="inactive", now=now, reason="cleared")
    if alert.state == "firing" and rule.recovering_ms > 0:
        return _moved(replace(alert, clear_at=now), after="recovering", now=now, reason="cleared")
    if alert.state == "firing":
        return _moved(replace(alert, clear_at=now, resolved_at=now), after="resolved", now=now, reason="cleared")
    if alert.state == "recovering" and now - alert.since_at >= rule.recovering_ms:
        return _moved(replace(alert, resolved_at=now), after="resolved", now=now, reason="cleared")
    return alert, None


def _opened(alert: Alert, *, rule: Rule, verdict: Verdict, now: int) -> Step:
    alert = replace(alert, observed=dict(verdict.observed))
    if rule.pending_ms > 0:
        return _moved(alert, after="pending", now=now, reason="met")
    return _moved(replace(alert, firing_at=now), after="firing", now=now, reason="fired")


def _switched_off(alert: Alert | None, *, now: int) -> Step:
    if alert is None or alert.state in ("inactive", "resolved"):
        return alert, None
    if alert.state == "pending":
        return _moved(alert, after="inactive", now=now, reason="rule_off")
    return _moved(replace(alert, resolved_at=now), after="resolved", now=now, reason="rule_off")


def _moved(alert: Alert, *, after: AlertState, now: int, reason: str) -> Step:
    transition = Transition(before=alert.state, after=after, at=now, reason=reason)
    return replace(alert, state=after, since_at=now), transition
