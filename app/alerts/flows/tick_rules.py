"""One tick of the alert rules: each is judged on the hourly counts, its alerts move on, and receivers are notified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from app.alerts.decide.alert_states import is_notified, next_state, silenced_by
from app.alerts.domain.alert import Alert, Rule, Transition
from app.alerts.flows import evaluate_rules, keep_evidence, learn_baselines, notify_alerts, share_budget
from app.alerts.flows.evaluate_rules import Finding
from app.alerts.store import alerts, silences
from app.core import clock
from app.core.db import Transaction
from app.core.events import history
from app.core.services import Services
from app.market.flows import find_silent_feeds
from app.model.flows import deploy_model

Step = tuple[Alert, Transition | None]


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """A time (ms UTC) at which rules are judged, the model that answers then, and the news that fails to arrive.

    `is_news_missing`: less than half of the usual stories came in.
    """

    now: int
    model: str
    is_news_missing: bool
    silent_feeds: frozenset[str]

    def lacks_data(self, rule: Rule, *, subject_id: str) -> bool:
        """Return True where a rule cannot be judged for want of posts; one that waits for silence always can."""
        if rule.kind == "absence":
            return False
        return subject_id in self.silent_feeds if rule.subject_kind == "feed" else self.is_news_missing


def tick(services: Services, *, now: int | None = None) -> tuple[Transition, ...]:
    """Judge every rule at a moment and return the transitions of its alerts.

    A rule's alerts, events and notifications are written in one transaction: running it again, from another process or
    after a restart, changes nothing and notifies nobody twice.
    """
    at = clock.now_ms() if now is None else now
    moment = _Moment(
        now=at,
        model=deploy_model.answering(services),
        is_news_missing=find_silent_feeds.is_missing(services, now=at),
        silent_feeds=find_silent_feeds.silent_ids(services, now=at),
    )
    # The whole market first: while it is in alarm, nobody is notified of its parts.
    rules = sorted(share_budget.in_force(services), key=lambda rule: rule.subject_kind != "market")
    found = tuple(transition for rule in rules for transition in _judge(services, rule, moment=moment))
    notify_alerts.follow_up(services, now=at)
    return found


def _judge(services: Services, rule: Rule, *, moment: _Moment) -> list[Transition]:
    # Judged before the transaction: it may take longer than writers should wait.
    resolved_after = moment.now - rule.cooldown_ms
    known = alerts.of_rule(services.db, rule.id, resolved_after=resolved_after)
    findings = evaluate_rules.verdicts(services, rule, now=moment.now, known=known)
    is_held = rule.is_calibrated and learn_baselines.is_open(services, rule.subject_kind)
    steps_from = partial(_steps, rule=rule, found=findings, moment=moment, is_held=is_held)
    # Most ticks find nothing to write: that is found out without holding the database.
    if not steps_from(known):
        return []
    found: list[Transition] = []
    with services.db.transaction() as tx:
        for alert, transition in steps_from(alerts.of_rule(tx, rule.id, resolved_after=resolved_after)):
            kept = _write(tx, alert, rule=rule, transition=transition)
            if transition is not None:
                _announce(tx, services, kept, rule=rule, transition=transition)
                found.append(transition)
    return found


def _steps(
    known: Mapping[str, Alert], *, rule: Rule, found: Mapping[str, Finding], moment: _Moment, is_held: bool
) -> list[Step]:
    """Return what becomes of each alert that is to be written, by subject id."""
    steps = []
    for subject_id, one in sorted(found.items()):
        alert, transition = next_state(
            known.get(subject_id),
            rule=rule if one.severity is None else replace(rule, severity=one.severity),
            verdict=one.verdict,
            now=moment.now,
            subject_kind=rule.subject_kind,
            subject_id=subject_id,
            model=moment.model,
            is_no_data=is_held or moment.lacks_data(rule, subject_id=subject_id),
        )
        if alert is not None and alert != known.get(subject_id):
            steps.append((alert, transition))
    return steps


def _write(tx: Transaction, alert: Alert, *, rule: Rule, transition: Transition | None) -> Alert:
    """Write an alert, with the evidence when it fires."""
    is_firing = transition is not None and transition.reason == "fired"
    if is_firing:
        alert = replace(alert, muted_by=notify_alerts.muting(alerts.open_ones(tx), alert=alert))
    kept = alerts.put(tx, alert, is_step=transition is not None)
    if is_firing:
        keep_evidence.keep(tx, kept, rule=rule)
    return kept


def _announce(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, transition: Transition) -> None:
    """Keep a transition as an event, and queue its notifications unless the subject is silenced or muted."""
    silence = silenced_by(
        silences.every(tx, at=transition.at),
        subject_kind=alert.subject_kind,
        subject_id=alert.subject_id,
        now=transition.at,
    )
    history.record(
        tx,
        actor=("rule", str(rule.id)),
        verb=transition.after,
        noun="alert",
        noun_id=alert.id,
        before={"state": transition.before},
        after={
            "state": transition.after,
            "reason": transition.reason,
            "subject_kind": alert.subject_kind,
            "subject_id": alert.subject_id,
            "is_silenced": silence is not None,
            "muted_by": alert.muted_by,
        },
    )
    if not is_notified(transition):
        return
    if transition.after == "resolved":
        notify_alerts.notify_ended(tx, services, alert, rule=rule, reason=transition.reason, now=transition.at)
    elif silence is None and alert.muted_by is None:
        notify_alerts.notify_begun(tx, services, alert, rule=rule, now=transition.at)
