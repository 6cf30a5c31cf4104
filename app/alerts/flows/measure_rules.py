"""The rate of false alarms of each rule: measured by people's feedback, and tried on stored history."""

from __future__ import annotations

from collections.abc import Mapping

from app.alerts.decide.surge import RARE_A_DAY
from app.alerts.domain.alert import Rule
from app.alerts.domain.false_alarms import Measured, Rare, Reckoning, RuleCheck, RuleRecord
from app.alerts.flows import backtest_rule, share_budget
from app.alerts.flows.keep_rules import watches
from app.alerts.store import alert_feedback, alert_rules, baselines, false_alarm_rows
from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import SubjectKind

SEEN_MS = 28 * DAY_MS
LEAST_MS = 7 * DAY_MS
"""The shortest time that a weekly rate is computed over, however young a rule is."""

TRIED_DAYS = 30
LEASE_MS = HOUR_MS


def refresh(services: Services, *, now: int | None = None) -> int:
    """Try every rule on stored history that was not tried today as it is; return how many were."""
    moment = clock.now_ms() if now is None else now
    return sum(_try_rule(services, rule, now=moment) for rule in share_budget.in_force(services) if _is_try_rule(rule))


def _is_try_rule(rule: Rule) -> bool:
    return rule.is_active and rule.kind != "absence"


def _try_rule(services: Services, rule: Rule, *, now: int) -> int:
    key = f"{now // DAY_MS} {rule.version} {rule.budget:.4f}"
    with services.db.transaction() as tx:
        if not false_alarm_rows.claim_check(tx, rule.id, key=key, now=now, lease_ms=LEASE_MS):
            return 0
    found = backtest_rule.back_test(services, rule, days=TRIED_DAYS, now=now)
    check = RuleCheck(
        rule_id=rule.id,
        since=found.since,
        until=found.until,
        n_alarms=len(found.episodes),
        n_subjects=found.n_subjects,
        n_known=found.n_known,
    )
    with services.db.transaction() as tx:
        false_alarm_rows.put_check(tx, check)
    return 1


def reckoning(services: Services, *, now: int | None = None) -> Reckoning:
    """Return the false alarms of every rule and in all, beside the budget: of 28 days, or a rule's lifetime."""
    moment = clock.now_ms() if now is None else now
    since, db = moment - SEEN_MS, services.db
    said, born = false_alarm_rows.fired(db, since=since, until=moment + 1), false_alarm_rows.made_at(db)
    checks, in_force = false_alarm_rows.checks(db), share_budget.in_force(services)
    oldest = min(born.values(), default=moment)
    records = tuple(
        RuleRecord(
            rule_id=rule.id,
            allowed=rule.budget if rule.is_active and rule.is_calibrated else None,
            measured=_measured(said.get(rule.id, {}), born=born.get(rule.id, oldest), now=moment),
            check=checks.get(rule.id) if _is_try_rule(rule) else None,
        )
        for rule in in_force
    )
    tried = [one.check.a_week for one in records if one.check is not None]
    names = ("n_fired", "n_false", "n_useful")
    whole = {name: sum(getattr(one.measured, name) for one in records) for name in names}
    return Reckoning(
        budget=false_alarm_rows.budget(db),
        rules=records,
        whole=_measured(whole, born=oldest, now=moment),
        n_missed=alert_feedback.counts(db, since=since, until=moment + 1).get("missed", 0),
        backtest_a_week=sum(tried) if tried else None,
    )


def _measured(said: Mapping[str, int], *, born: int, now: int) -> Measured:
    seen_ms = max(LEAST_MS, min(SEEN_MS, now - born))
    return Measured(weeks=seen_ms / (7 * DAY_MS), **said)


def rules_without_baseline(services: Services) -> frozenset[int]:
    """Return the rules of surges that still judge by their fixed figures, for want of a baseline."""
    return frozenset(
        rule.id
        for rule in alert_rules.every(services.db)
        if rule.is_active
        and rule.kind == "surge"
        and not baselines.of_kind(services.db, subject_kind=rule.subject_kind, measure="surge")
    )


def rare_subjects(services: Services, *, viewer: Viewer) -> tuple[Rare, ...]:
    """Return the subjects in sight with too few stories for a rule of surges, the most spoken of first."""
    rules = [rule for rule in alert_rules.every(services.db) if rule.is_active]
    mentions = [rule for rule in rules if rule.kind == "mention"]
    found: dict[tuple[SubjectKind, str], Rare] = {}
    for rule in (rule for rule in rules if rule.kind == "surge"):
        for one in baselines.of_kind(services.db, subject_kind=rule.subject_kind, measure="surge"):
            is_seen = one.subject_kind != "feed" or viewer.sees_feed(int(one.subject_id))
            if one.stories_a_day < RARE_A_DAY and rule.subject_id in (None, one.subject_id) and is_seen:
                found[one.subject_kind, one.subject_id] = Rare(
                    subject_kind=one.subject_kind,
                    subject_id=one.subject_id,
                    stories_a_day=one.stories_a_day,
                    is_mention_watched=any(watches(mention, one.subject_kind, one.subject_id) for mention in mentions),
                )
    return tuple(sorted(found.values(), key=lambda one: (-one.stories_a_day, one.subject_id)))
