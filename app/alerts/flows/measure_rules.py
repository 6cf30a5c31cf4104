"""How often each rule is wrong: by what people said of its alerts, and by what it would have raised over history."""

from __future__ import annotations

from collections.abc import Mapping

from app.alerts.decide.surge import RARE_A_DAY
from app.alerts.domain.alert import Rule
from app.alerts.domain.false_alarms import AlarmBudget, Measured, Rare, Reckoning, RuleCheck, RuleRecord
from app.alerts.flows import backtest_rule, share_budget, tick_rules
from app.alerts.store import alert_rules, baselines, false_alarm_rows, remarks
from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import SubjectKind

SEEN_MS = 28 * DAY_MS
LEAST_MS = 7 * DAY_MS
"""A rate by the week is told of a week or more, however young a rule is."""

TRIED_DAYS = 30
LEASE_MS = HOUR_MS
MENTION_WINDOW_MS = 4 * HOUR_MS
"""Posts that arrive so late are told all the same."""


def refresh(services: Services, *, now: int | None = None) -> int:
    """Try every rule on stored history that was not tried today as it is; how many were."""
    moment = clock.now_ms() if now is None else now
    return sum(_tried(services, rule, now=moment) for rule in share_budget.in_force(services) if _is_tried(rule))


def _is_tried(rule: Rule) -> bool:
    return rule.is_active and rule.kind != "absence"


def _tried(services: Services, rule: Rule, *, now: int) -> int:
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
    """Every rule, and all together, beside what is allowed: of the last 28 days, or since a rule was made."""
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
            check=checks.get(rule.id) if _is_tried(rule) else None,
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
        n_missed=remarks.counts(db, since=since, until=moment + 1).get("missed", 0),
        backtest_a_week=sum(tried) if tried else None,
    )


def _measured(said: Mapping[str, int], *, born: int, now: int) -> Measured:
    seen_ms = max(LEAST_MS, min(SEEN_MS, now - born))
    return Measured(weeks=seen_ms / (7 * DAY_MS), **said)


def budget(services: Services) -> AlarmBudget:
    """What the whole dashboard may raise."""
    return false_alarm_rows.budget(services.db)


def not_learnt(services: Services) -> frozenset[int]:
    """Rules of surges that judge by their fixed figures still, because nothing is usual yet."""
    return frozenset(
        rule.id
        for rule in alert_rules.every(services.db)
        if rule.is_active
        and rule.kind == "surge"
        and not baselines.of_kind(services.db, subject_kind=rule.subject_kind, measure="surge")
    )


def rare(services: Services) -> tuple[Rare, ...]:
    """What the rules of surges watch and cannot judge within hours, for want of stories; the most spoken of first."""
    every = [rule for rule in alert_rules.every(services.db) if rule.is_active]
    mentions = [rule for rule in every if rule.kind == "mention"]
    found: dict[tuple[SubjectKind, str], Rare] = {}
    for rule in every:
        if rule.kind != "surge":
            continue
        for one in baselines.of_kind(services.db, subject_kind=rule.subject_kind, measure="surge"):
            if one.stories_a_day < RARE_A_DAY and rule.subject_id in (None, one.subject_id):
                found[one.subject_kind, one.subject_id] = Rare(
                    subject_kind=one.subject_kind,
                    subject_id=one.subject_id,
                    stories_a_day=one.stories_a_day,
                    is_mention_watched=any(_watches(mention, one.subject_kind, one.subject_id) for mention in mentions),
                )
    return tuple(sorted(found.values(), key=lambda one: (-one.stories_a_day, one.subject_id)))


def _watches(rule: Rule, subject_kind: str, subject_id: str) -> bool:
    return rule.subject_kind == subject_kind and rule.subject_id in (None, subject_id)


def watch_mentions(
    services: Services, *, viewer: Viewer, subject_kind: SubjectKind, subject_id: str, name: str, is_negative: bool
) -> Rule:
    """Make a rule that tells of every mention of one subject, or of every negative one.

    Raises Conflict `already_watched` where one does.
    """
    for rule in alert_rules.every(services.db):
        if rule.is_active and rule.kind == "mention" and _watches(rule, subject_kind, subject_id):
            raise Conflict("already_watched", name=rule.name)
    return tick_rules.add_rule(
        services,
        viewer=viewer,
        name=name,
        kind="mention",
        subject_kind=subject_kind,
        subject_id=subject_id,
        window_ms=MENTION_WINDOW_MS,
        min_stories=1,
        min_negative=int(is_negative),
        recovering_ms=0,
        cooldown_ms=0,
        severity="info",
    )
