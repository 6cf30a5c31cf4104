"""Alerts: rules evaluated on the hourly counts, transitions kept as events, receivers told once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args

from app.alerts.decide.alert_states import is_told, next_state, silenced_by
from app.alerts.domain.alert import Alert, Rule, RuleKind, Severity, Silence, Transition
from app.alerts.domain.evidence import Remark
from app.alerts.flows import evaluate_rules, keep_evidence, learn_baselines, notify_alerts, share_budget
from app.alerts.store import alert_rules, alerts, remarks, silences
from app.core import clock
from app.core.db import Transaction
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, FieldError, InputError, NotAllowed
from app.core.events import history
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.market.domain.market import Post, SubjectKind
from app.market.flows import find_silent_feeds
from app.model.flows import deploy_model

_RULE_FIELDS = frozenset(entry.name for entry in fields(Rule)) - {"id", "version"}
LONGEST_NOTE = 1000
_LONGEST_MS, _MOST_STORIES = 400 * DAY_MS, 1_000_000
BOUNDS: dict[str, tuple[float, float]] = {
    "window_ms": (HOUR_MS, _LONGEST_MS),
    "baseline_ms": (HOUR_MS, _LONGEST_MS),
    "min_stories": (1, _MOST_STORIES),
    "min_negative": (0, _MOST_STORIES),
    "share": (0, 1),
    "lift": (0, 1000),
    "budget": (0.01, 1000),
    "pending_ms": (0, _LONGEST_MS),
    "recovering_ms": (0, _LONGEST_MS),
    "cooldown_ms": (0, _LONGEST_MS),
}


Step = tuple[Alert, Transition | None]


@dataclass(frozen=True, kw_only=True)
class _Silent:
    """What does not arrive at a tick: half of the usual stories, and feeds by id."""

    is_missing: bool
    feeds: frozenset[str]

    def concerns(self, rule: Rule, *, subject_id: str) -> bool:
        """Whether a rule cannot be judged on a subject now."""
        return subject_id in self.feeds if rule.subject_kind == "feed" else self.is_missing


def tick(services: Services, *, now: int | None = None) -> tuple[Transition, ...]:
    """Evaluate every rule at a moment; the transitions that followed.

    A rule's alerts, events and notifications are written in one transaction, so that running it again, from another
    process or after a restart, changes nothing and tells nobody twice.
    """
    moment = clock.now_ms() if now is None else now
    model = deploy_model.answering(services)
    silent = _Silent(
        is_missing=find_silent_feeds.is_missing(services, now=moment),
        feeds=find_silent_feeds.silent_ids(services, now=moment),
    )
    # The whole market first: while it is in alarm, its parts are not told.
    found = tuple(
        transition
        for rule in sorted(share_budget.in_force(services), key=lambda rule: rule.subject_kind != "market")
        for transition in _evaluated(services, rule, now=moment, model=model, silent=silent)
    )
    notify_alerts.follow_up(services, now=moment)
    return found


def _evaluated(services: Services, rule: Rule, *, now: int, model: str, silent: _Silent) -> list[Transition]:
    # Judged before the transaction: it may take longer than writers should wait.
    resolved_after = now - rule.cooldown_ms
    known = alerts.of_rule(services.db, rule.id, resolved_after=resolved_after)
    seen = evaluate_rules.verdicts(services, rule, now=now, known=known)
    is_held = rule.is_calibrated and learn_baselines.is_open(services, rule.subject_kind)

    def steps(known: Mapping[str, Alert]) -> list[Step]:
        return [
            step
            for subject_id in sorted(seen)
            if (
                step := _step(
                    known.get(subject_id),
                    seen[subject_id],
                    rule=rule,
                    subject_id=subject_id,
                    now=now,
                    model=model,
                    is_no_data=_is_no_data(silent, rule, subject_id=subject_id) or is_held,
                )
            )
        ]

    # Most ticks find nothing to write: that is found out without holding the database.
    if not steps(known):
        return []
    found: list[Transition] = []
    with services.db.transaction() as tx:
        for alert, transition in steps(alerts.of_rule(tx, rule.id, resolved_after=resolved_after)):
            kept = _kept(tx, services, alert, rule=rule, transition=transition)
            if transition is not None:
                _told(tx, services, kept, rule=rule, transition=transition)
                found.append(transition)
    return found


def _step(
    was: Alert | None, seen: evaluate_rules.Seen, *, rule: Rule, subject_id: str, now: int, model: str, is_no_data: bool
) -> Step | None:
    """What becomes of an alert; None when there is nothing to write."""
    alert, transition = next_state(
        was,
        rule=rule if seen.severity is None else replace(rule, severity=seen.severity),
        verdict=seen.verdict,
        now=now,
        subject_kind=rule.subject_kind,
        subject_id=subject_id,
        model=model,
        is_no_data=is_no_data,
    )
    return None if alert is None or alert == was else (alert, transition)


def _is_no_data(silent: _Silent, rule: Rule, *, subject_id: str) -> bool:
    """Whether a rule cannot be judged for want of posts; a rule that waits for silence can."""
    return rule.kind != "absence" and silent.concerns(rule, subject_id=subject_id)


def _kept(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, transition: Transition | None) -> Alert:
    """Write an alert down, with the evidence when it fires."""
    is_firing = transition is not None and transition.reason == "fired"
    if is_firing:
        alert = replace(alert, muted_by=notify_alerts.muting(alerts.open_ones(tx), alert=alert))
    kept = _written(tx, alert, is_moved=transition is not None)
    if is_firing:
        keep_evidence.keep(tx, kept, rule=rule)
    return kept


def _written(tx: Transaction, alert: Alert, *, is_moved: bool) -> Alert:
    values = asdict(alert)
    del values["id"], values["version"]
    if not alert.id:
        return alerts.get(tx, alerts.insert(tx, values=values))
    if is_moved:
        return alerts.update(tx, alert.id, changes=values)
    alerts.note(tx, alert.id, changes=values)
    return alert


def _told(tx: Transaction, services: Services, alert: Alert, *, rule: Rule, transition: Transition) -> None:
    """Keep a transition as an event, and queue its notifications unless the subject is silenced or muted."""
    quiet = silenced_by(
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
            "is_silenced": quiet is not None,
            "muted_by": alert.muted_by,
        },
    )
    if not is_told(transition):
        return
    if transition.after == "resolved":
        notify_alerts.ended(tx, services, alert, rule=rule, reason=transition.reason, now=transition.at)
    elif quiet is None and alert.muted_by is None:
        notify_alerts.begun(tx, services, alert, rule=rule, now=transition.at)


def stories_of(services: Services, alert_id: int, *, viewer: Viewer, limit: int = 20) -> tuple[Post, ...]:
    """The negative stories that an alert counted, told most often first, within the viewer's feeds."""
    return notify_alerts.stories_behind(
        services.db, alerts.get(services.db, alert_id, viewer=viewer), viewer=viewer, limit=limit
    )


def acknowledge(services: Services, alert_id: int, *, viewer: Viewer, note: str = "") -> Alert:
    """Say that somebody is on it, and what is being done; the first one counts. Raises Conflict `alert_over`."""
    with services.db.transaction() as tx:
        was = alerts.get(tx, alert_id, viewer=viewer)
        if was.acknowledged_at is not None:
            return was
        if was.state in ("resolved", "inactive"):
            raise Conflict("alert_over", id=alert_id)
        changes = {
            "acknowledged_at": clock.now_ms(),
            "acknowledged_by": viewer.user_id,
            "acknowledged_note": note.strip()[:LONGEST_NOTE],
        }
        alert = alerts.update(tx, alert_id, changes=changes)
        after = {
            "acknowledged_by": viewer.user_id,
            "note": alert.acknowledged_note,
            "subject_id": was.subject_id,
            "subject_kind": was.subject_kind,
        }
        history.record(tx, actor=history.of(viewer), verb="acknowledged", noun="alert", noun_id=alert_id, after=after)
        return alert


def judge(services: Services, alert_id: int, *, viewer: Viewer, remark: Remark, comment: str = "") -> Alert:
    """Say that an alert was useful or a false alarm; of each person the last word counts in the measured rate."""
    if viewer.user_id is None:
        raise NotAllowed(permission="alerts:write")
    with services.db.transaction() as tx:
        alert = alerts.get(tx, alert_id, viewer=viewer)
        remarks.put(
            tx,
            kind=remark,
            alert_id=alert_id,
            subject_kind=alert.subject_kind,
            subject_id=alert.subject_id,
            occurred_at=alert.firing_at or alert.started_at,
            user_id=viewer.user_id,
            comment=comment.strip()[:LONGEST_NOTE],
            at=clock.now_ms(),
        )
        after = {"remark": remark, "subject_id": alert.subject_id, "subject_kind": alert.subject_kind}
        history.record(tx, actor=history.of(viewer), verb="judged", noun="alert", noun_id=alert_id, after=after)
        return alert


def report_missed(
    services: Services, *, viewer: Viewer, subject_kind: SubjectKind, subject_id: str, at: int, comment: str
) -> None:
    """Keep that bad news came of which no rule told. Raises InputError for a time to come."""
    now = clock.now_ms()
    if viewer.user_id is None:
        raise NotAllowed(permission="alerts:write")
    if at > now:
        raise InputError(fields=[FieldError(pointer="/at", code="future")])
    with services.db.transaction() as tx:
        remarks.put(
            tx,
            kind="missed",
            alert_id=None,
            subject_kind=subject_kind,
            subject_id=subject_id,
            occurred_at=at,
            user_id=viewer.user_id,
            comment=comment.strip()[:LONGEST_NOTE],
            at=now,
        )


def silence(
    services: Services,
    *,
    viewer: Viewer,
    subject_kind: SubjectKind | None,
    subject_id: str | None,
    until: int,
    comment: str,
) -> Silence:
    """Tell nobody of a subject's alerts (None: of any) until a time; the alerts themselves go on."""
    now = clock.now_ms()
    if viewer.user_id is None:
        raise NotAllowed(permission="alerts:write")
    if until <= now:
        raise InputError("until_past", fields=[FieldError(pointer="/until", code="past")])
    with services.db.transaction() as tx:
        silence_id = silences.insert(
            tx,
            subject_kind=subject_kind,
            subject_id=subject_id,
            since=now,
            until=until,
            user_id=viewer.user_id,
            comment=comment,
        )
        after = {"subject_kind": subject_kind, "subject_id": subject_id, "until": until, "comment": comment}
        history.record(tx, actor=history.of(viewer), verb="created", noun="silence", noun_id=silence_id, after=after)
        return silences.get(tx, silence_id)


def end_silence(services: Services, silence_id: int, *, viewer: Viewer) -> None:
    """End a silence now; nothing happens when it is over."""
    with services.db.transaction() as tx:
        was = silences.get(tx, silence_id)
        if silences.end(tx, silence_id, at=clock.now_ms()):
            history.record(
                tx,
                actor=history.of(viewer),
                verb="ended",
                noun="silence",
                noun_id=silence_id,
                before={"until": was.until},
            )


def add_rule(services: Services, *, viewer: Viewer, **values: Any) -> Rule:
    """Add a rule with the fields of Rule; raises InputError with the fields at fault."""
    rule = Rule(id=0, **_checked({"name": "", **values}))
    with services.db.transaction() as tx:
        return _added(tx, rule, actor=history.of(viewer))


def _added(tx: Transaction, rule: Rule, *, actor: history.Actor) -> Rule:
    columns = asdict(rule)
    del columns["id"], columns["version"]
    rule_id = alert_rules.insert(tx, values=columns)
    history.record(tx, actor=actor, verb="created", noun="rule", noun_id=rule_id, after={"name": rule.name})
    return alert_rules.get(tx, rule_id)


def first_rule(tx: Transaction) -> None:
    """The rule that a new installation watches every company with, unless there is one: without it nothing fires.

    It learns what is usual of each company, so no figure has to be right that nobody knows yet.
    """
    if not alert_rules.every(tx):
        _added(tx, Rule(id=0, name="Negative news surge", kind="surge"), actor=history.of(SYSTEM))


def change_rule(
    services: Services, rule_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Rule:
    """Change a rule; one that is switched off ends its alerts at the next tick. Raises NotFound, Stale."""
    wanted = _checked(changes)
    with services.db.transaction() as tx:
        was = alert_rules.get(tx, rule_id)
        rule = alert_rules.update(tx, rule_id, changes=wanted, version=version)
        before = {key: getattr(was, key) for key in wanted}
        history.record(
            tx, actor=history.of(viewer), verb="edited", noun="rule", noun_id=rule_id, before=before, after=wanted
        )
        return rule


def remove_rule(services: Services, rule_id: int, *, viewer: Viewer) -> None:
    """Remove a rule that never made an alert; raises Conflict `rule_in_use` otherwise."""
    with services.db.transaction() as tx:
        was = alert_rules.get(tx, rule_id)
        alert_rules.delete(tx, rule_id)
        history.record(
            tx, actor=history.of(viewer), verb="deleted", noun="rule", noun_id=rule_id, before={"name": was.name}
        )


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - _RULE_FIELDS)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    faults = _out_of_bounds(values)
    choices = {"kind": get_args(RuleKind), "severity": get_args(Severity), "subject_kind": get_args(SubjectKind)}
    faults += [
        FieldError(pointer=f"/{key}", code="unknown_value")
        for key, known in choices.items()
        if key in values and values[key] not in known
    ]
    if "name" in values and not str(values["name"]).strip():
        faults.append(FieldError(pointer="/name", code="empty"))
    if faults:
        raise InputError("invalid_rule", fields=faults)
    return dict(values)


def _out_of_bounds(values: Mapping[str, Any]) -> list[FieldError]:
    return [
        FieldError(pointer=f"/{key}", code="too_small" if values[key] < least else "too_large")
        for key, (least, most) in BOUNDS.items()
        if key in values and not least <= values[key] <= most
    ]
