"""How often rules are wrong: judged alerts, missed surges, back-tests, and the budget that all rules share."""

from __future__ import annotations

import numpy as np
import pytest

from app.alerts.domain.alert import Rule
from app.alerts.domain.evidence import Remark
from app.alerts.flows import act_on_alert, keep_rules, learn_baselines, measure_rules, share_budget, tick_rules
from app.alerts.flows.keep_rules import RULE
from app.alerts.flows.share_budget import ALARM_BUDGET
from app.alerts.store import alerts as rows
from app.alerts.store import false_alarm_rows
from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, InputError, Stale
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import PostDraft
from app.market.domain.series import Bucket
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.store import buckets
from tests.app.conftest import Desk

T0 = 1_780_000_000_000 - 1_780_000_000_000 % DAY_MS
WORDS = ("amber", "brass", "cedar", "delta", "ember", "fjord", "grain", "harbour", "island", "jetty")


@pytest.fixture
def rule(services: Services, people: Desk) -> Rule:
    """A company with three weeks of a story an hour, one with twenty, and a rule of surges made four weeks ago."""
    for number in range(2):
        changes.add(services.db, ENTITY, {"ticker": f"T{number}", "name": f"Northwharf{number}"}, viewer=SYSTEM)
    changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
    random = np.random.default_rng(4)
    calm = [
        Bucket(
            subject_kind="entity",
            subject_id=str(company),
            at=T0 - hour * HOUR_MS,
            n_posts=int(n),
            n_stories=int(n),
            n_negative=int(random.binomial(n, 0.2)),
            n_neutral=0,
        )
        for company, mean in ((1, 1.0), (2, 20.0))
        for hour, n in enumerate(random.poisson(mean, size=21 * 24), start=1)
        if n
    ]
    with services.db.transaction() as tx:
        buckets.add(tx, [_whole(one) for one in calm])
    with clock.frozen(T0 - 28 * DAY_MS):
        return changes.add(services.db, RULE, {"name": "Surge", "kind": "surge", "budget": 1.0}, viewer=SYSTEM).row


def _whole(one: Bucket) -> Bucket:
    return Bucket(**{**vars(one), "n_neutral": one.n_stories - one.n_negative})


def _bad_news(services: Services, *, at: int, company: int = 0, n: int = 10) -> None:
    drafts = [
        PostDraft(
            external_id=f"{company}-{at}-{word}",
            title=f"Northwharf{company} falls after a fraud probe of {word} mills",
            occurred_at=at - 60_000,
            author=word,
        )
        for word in WORDS[:n]
    ]
    ingest_posts.receive(services, 1, drafts, viewer=SYSTEM)


def test_before_anything_is_usual_a_surge_is_judged_by_its_fixed_figures(services: Services, rule: Rule) -> None:
    assert measure_rules.rules_without_baseline(services) == {rule.id}
    with clock.frozen(T0):
        _bad_news(services, at=T0, company=0)
        # 10 of about 34 stories are not half; 10 of 10 of a company that nobody knew are.
        changes.add(services.db, ENTITY, {"ticker": "T2", "name": "Northwharf2"}, viewer=SYSTEM)
        _bad_news(services, at=T0, company=2)
        tick_rules.tick(services)
        assert [one.subject_id for one in rows.open_ones(services.db)] == ["3"]
        learn_baselines.refresh(services)
    assert measure_rules.rules_without_baseline(services) == frozenset()


def test_the_measured_rate_counts_each_alert_by_the_last_word_on_it(
    services: Services, rule: Rule, people: Desk
) -> None:
    with clock.frozen(T0):
        changes.add(services.db, ENTITY, {"ticker": "T2", "name": "Northwharf2"}, viewer=SYSTEM)
        _bad_news(services, at=T0, company=2)
        tick_rules.tick(services)
        (alert,) = rows.open_ones(services.db)
    told = [measure_rules.reckoning(services, now=T0 + HOUR_MS).whole]
    remarks: tuple[Remark, ...] = ("useful", "false_alarm")
    for step, remark in enumerate(remarks, start=1):
        with clock.frozen(T0 + step * 60_000):
            act_on_alert.judge(services, alert.id, viewer=people.analyst, remark=remark)
        told.append(measure_rules.reckoning(services, now=T0 + HOUR_MS).whole)
    assert [(one.low, one.high) for one in told] == [(0.0, 0.25), (0.0, 0.0), (0.25, 0.25)]
    with clock.frozen(T0 + HOUR_MS):
        act_on_alert.report_missed(
            services, viewer=people.analyst, subject_kind="entity", subject_id="1", at=T0, comment="the strike"
        )
    found = measure_rules.reckoning(services, now=T0 + HOUR_MS)
    assert found.n_missed == 1
    assert [(one.rule_id, one.measured.n_false, one.allowed) for one in found.rules] == [(rule.id, 1, 1.0)]
    # Four weeks later it counts no more.
    assert measure_rules.reckoning(services, now=T0 + 29 * DAY_MS).whole.n_fired == 0


def test_a_young_rule_is_measured_over_a_week_at_least(services: Services, rule: Rule) -> None:
    with clock.frozen(T0):
        young = changes.add(services.db, RULE, {"name": "Young", "kind": "threshold"}, viewer=SYSTEM).row
    found = {one.rule_id: one for one in measure_rules.reckoning(services, now=T0 + HOUR_MS).rules}
    assert (found[young.id].measured.weeks, found[young.id].allowed) == (1.0, None)
    assert found[rule.id].measured.weeks == 4.0


def test_every_rule_is_tried_on_history_once_a_day_and_when_it_changes(services: Services, rule: Rule) -> None:
    with clock.frozen(T0):
        changes.add(services.db, RULE, {"name": "Silence", "kind": "absence"}, viewer=SYSTEM)
    assert measure_rules.reckoning(services, now=T0).backtest_a_week is None
    assert measure_rules.refresh(services, now=T0) == 1
    assert measure_rules.refresh(services, now=T0 + HOUR_MS) == 0
    record = next(one for one in measure_rules.reckoning(services, now=T0).rules if one.rule_id == rule.id)
    assert record.check is not None
    assert (record.check.n_known, record.check.until) == (2, T0)
    assert measure_rules.refresh(services, now=T0 + DAY_MS) == 1
    with clock.frozen(T0 + DAY_MS):
        changes.change(services.db, RULE, rule.id, {"budget": 5.0}, viewer=SYSTEM)
    assert measure_rules.refresh(services, now=T0 + DAY_MS + 1) == 1


def test_a_try_that_died_is_taken_up_again(services: Services, rule: Rule) -> None:
    with services.db.transaction() as tx:
        assert false_alarm_rows.claim_check(tx, rule.id, key="x", now=T0, lease_ms=measure_rules.LEASE_MS)
    key = f"{T0 // DAY_MS} {rule.version} {rule.budget:.4f}"
    with services.db.transaction() as tx:
        assert false_alarm_rows.claim_check(tx, rule.id, key=key, now=T0, lease_ms=measure_rules.LEASE_MS)
        assert not false_alarm_rows.claim_check(tx, rule.id, key=key, now=T0 + 1, lease_ms=measure_rules.LEASE_MS)
    assert measure_rules.refresh(services, now=T0 + measure_rules.LEASE_MS) == 1


def test_the_rules_share_the_budget_of_the_dashboard(services: Services, rule: Rule, people: Desk) -> None:
    with clock.frozen(T0):
        learn_baselines.refresh(services)
        changes.add(services.db, RULE, {"name": "More", "kind": "volume", "budget": 3.0}, viewer=SYSTEM)
    assert [round(one.budget, 2) for one in share_budget.in_force(services)] == [0.75, 0.25]
    with clock.frozen(T0 + HOUR_MS):
        storm = Bucket(
            subject_kind="entity", subject_id="1", at=T0, n_posts=30, n_stories=30, n_negative=30, n_neutral=0
        )
        with services.db.transaction() as tx:
            buckets.add(tx, [storm])
        tick_rules.tick(services)
        surging = [one for one in rows.open_ones(services.db) if one.rule_id == rule.id]
    assert [one.observed["budget"] for one in surging] == [0.25]
    changed = changes.change(services.db, ALARM_BUDGET, 1, {"a_week": 8.0}, viewer=people.admin, version=1).row
    assert (changed.a_week, changed.version) == (8.0, 2)
    assert sorted(one.budget for one in share_budget.in_force(services)) == [1.0, 3.0]
    last = event_log.after(services.db, event_log.last_id(services.db) - 1)[0]
    assert (last.noun, last.before, last.after) == ("alarm_budget", {"a_week": 1.0}, {"a_week": 8.0})


@pytest.mark.parametrize("a_week", [0.0, -1.0, 1e6])
def test_a_budget_out_of_bounds_is_refused(services: Services, a_week: float) -> None:
    with pytest.raises(InputError):
        changes.change(services.db, ALARM_BUDGET, 1, {"a_week": a_week}, viewer=SYSTEM)
    with pytest.raises(Stale):
        changes.change(services.db, ALARM_BUDGET, 1, {"a_week": 2.0}, viewer=SYSTEM, version=7)


def test_what_is_too_rare_is_said_and_every_mention_of_it_told(services: Services, rule: Rule, people: Desk) -> None:
    with clock.frozen(T0):
        learn_baselines.refresh(services)
        found = measure_rules.rare_subjects(services, viewer=people.analyst)
        assert [(one.subject_id, one.is_mention_watched) for one in found] == [("1", False)]
        assert 18 < found[0].stories_a_day < 30
        made = keep_rules.watch_mentions(
            services, viewer=people.analyst, subject_kind="entity", subject_id="1", name="Each", is_negative=False
        ).row
        assert measure_rules.rare_subjects(services, viewer=people.analyst)[0].is_mention_watched
        with pytest.raises(Conflict, match="already_watched"):
            keep_rules.watch_mentions(
                services, viewer=people.analyst, subject_kind="entity", subject_id="1", name="Again", is_negative=True
            )
    late = T0 + 2 * DAY_MS
    with clock.frozen(late):
        draft = PostDraft(
            external_id="q", title="Northwharf0 opens a mill by the river", occurred_at=late - 2 * HOUR_MS
        )
        ingest_posts.receive(services, 1, [draft], viewer=SYSTEM)
        tick_rules.tick(services)
    assert [one.subject_id for one in rows.open_ones(services.db) if one.rule_id == made.id] == ["1"]
