"""Rules of surges: learnt at night from stored hours, judged at every tick, explained when they fire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.alerts.domain.alert import Alert, Rule
from app.alerts.domain.backtest import later_by
from app.alerts.flows import act_on_alert, backtest_rule, learn_baselines, tick_rules
from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alerts as rows
from app.alerts.store import baselines, evidence_rows
from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import InputError
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import PostDraft, SubjectKind
from app.market.domain.series import Bucket
from app.market.flows import classify_posts, ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.store import buckets
from app.market.store import posts as post_rows
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine

T0 = 1_780_000_000_000 - 1_780_000_000_000 % DAY_MS
WORDS = "amber brass cedar delta ember fjord grain harbour island jetty kelp lantern meadow north opal pier quay river"
NAMES = tuple(WORDS.split(" "))
N_DAYS, COMPANIES = 20, 6


@pytest.fixture
def rule(services: Services, people: Desk) -> Rule:
    """Six companies with twenty days of calm hours, and a rule of surges on them."""
    for number in range(COMPANIES):
        changes.add(services.db, ENTITY, {"ticker": f"T{number}", "name": f"Northwharf{number}"}, viewer=SYSTEM)
    changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
    random = np.random.default_rng(11)
    calm = []
    for company in range(1, COMPANIES + 1):
        stories = random.poisson(8, size=N_DAYS * 24)
        negative = random.binomial(stories, 0.2)
        for hour, (n, k) in enumerate(zip(stories.tolist(), negative.tolist(), strict=True)):
            if n:
                calm.append(_bucket(company, T0 - (N_DAYS * 24 - hour) * HOUR_MS, n=n, k=k))
    with services.db.transaction() as tx:
        buckets.add(tx, calm)
    with clock.frozen(T0):
        return changes.add(services.db, RULE, {"name": "Surge", "kind": "surge", "budget": 1.0}, viewer=SYSTEM).row


def _bucket(company: int, at: int, *, n: int, k: int) -> Bucket:
    return Bucket(
        subject_kind="entity",
        subject_id=str(company),
        at=at,
        n_posts=n,
        n_stories=n,
        n_negative=k,
        n_neutral=n - k,
    )


def _bad_news(services: Services, *, company: int, at: int, n: int = 20) -> None:
    drafts = [
        PostDraft(
            external_id=f"{company}-{at}-{one}",
            title=f"Northwharf{company - 1} recall of {NAMES[one % 18]} {NAMES[(one * 5 + 3) % 18]} turbines {one}",
            occurred_at=at + one * 60_000,
            author=f"desk{one % 3}",
        )
        for one in range(n)
    ]
    ingest_posts.receive(services, 1, drafts, viewer=SYSTEM)


def _calm_posts(services: Services, *, company: int, at: int) -> None:
    drafts = [
        PostDraft(
            external_id=f"calm{company}-{one}",
            title=f"Northwharf{company - 1} opens {NAMES[one % 18]} mill near {NAMES[(one * 7 + 2) % 18]} river {one}",
            occurred_at=at + one * 60_000,
        )
        for one in range(12)
    ]
    ingest_posts.receive(services, 1, drafts, viewer=SYSTEM)


def _fired(services: Services) -> list[Alert]:
    return [one for one in rows.open_ones(services.db) if one.state == "firing"]


def test_a_surge_fires_on_the_company_it_concerns_and_explains_itself(services: Services, rule: Rule) -> None:
    now = T0 + 3 * HOUR_MS
    with clock.frozen(now):
        assert learn_baselines.refresh(services) > COMPANIES
        assert learn_baselines.refresh(services) == 0, "a night is learnt once"
        assert tick_rules.tick(services) == ()
        _calm_posts(services, company=2, at=now - 2 * DAY_MS)
        _bad_news(services, company=2, at=now - HOUR_MS)
        tick_rules.tick(services)
        assert tick_rules.tick(services) == ()
    (alert,) = _fired(services)
    assert alert.subject_id == "2"
    assert alert.severity == "critical"
    assert alert.observed["score"] > alert.observed["threshold_score"] >= 3
    assert alert.observed["baseline_share"] == pytest.approx(0.2, abs=0.02)
    kept = evidence_rows.of_alert(services.db, alert.id)
    assert kept is not None
    assert kept.kind == "surge"
    assert kept.share is not None
    assert kept.share.expected is not None
    assert kept.share.low > (kept.share.expected_high or 0)
    assert "recall" in {one.word for one in kept.words}
    assert kept.drivers
    assert sum(one.part for one in kept.drivers) <= 1.0 + 1e-9
    assert kept.n_sources == 3
    assert kept.share_part is not None
    assert kept.share_part > 0.4
    assert kept.budget == 1.0


def test_the_second_of_a_kind_names_the_first_and_what_was_said_of_it(
    services: Services, rule: Rule, people: Desk
) -> None:
    now = T0 + 3 * HOUR_MS
    with clock.frozen(now):
        learn_baselines.refresh(services)
        _calm_posts(services, company=2, at=now - 2 * DAY_MS)
        _calm_posts(services, company=3, at=now - 2 * DAY_MS)
        _bad_news(services, company=2, at=now - HOUR_MS)
        tick_rules.tick(services)
        (first,) = _fired(services)
        act_on_alert.judge(services, first.id, viewer=people.analyst, remark="false_alarm")
        _bad_news(services, company=3, at=now - HOUR_MS)
        tick_rules.tick(services)
    second = next(one for one in _fired(services) if one.id != first.id)
    kept = evidence_rows.of_alert(services.db, second.id)
    assert kept is not None
    (precedent,) = kept.precedents
    assert (precedent.alert_id, precedent.remark) == (first.id, "false_alarm")


def test_one_story_told_fifty_times_is_silent(services: Services, rule: Rule) -> None:
    now = T0 + 3 * HOUR_MS
    with clock.frozen(now):
        learn_baselines.refresh(services)
        copies = [
            PostDraft(
                external_id=f"c{one}",
                title="Northwharf1 recall of amber brass turbines after strike",
                occurred_at=now - HOUR_MS + one * 1000,
                author=f"desk{one}",
            )
            for one in range(50)
        ]
        ingest_posts.receive(services, 1, copies, viewer=SYSTEM)
        assert tick_rules.tick(services) == ()


def test_the_same_hours_teach_the_same_and_late_posts_are_learnt_the_next_night(services: Services, rule: Rule) -> None:
    with clock.frozen(T0 + HOUR_MS) as advance:
        learn_baselines.refresh(services)
        kept = baselines.of_kind(services.db, subject_kind="entity", measure="surge")
        again = learn_baselines.baselines_of(services, "entity", now=T0 + HOUR_MS)
        ours = {(one.subject_id, one.width_ms): one for one in again if one.measure == "surge"}
        for one in kept:
            other = ours[one.subject_id, one.width_ms]
            assert one.rate == pytest.approx(other.rate, rel=1e-6)
            assert (one.share, one.rho, one.phi, one.location) == (other.share, other.rho, other.phi, other.location)
        _bad_news(services, company=1, at=T0 - 10 * DAY_MS)
        advance(DAY_MS)
        assert learn_baselines.refresh(services) > 0
    later = baselines.of_kind(services.db, subject_kind="entity", measure="surge")
    assert {one.fitted_at for one in later} == {T0 + DAY_MS + HOUR_MS}


def test_a_new_model_reads_four_weeks_again_before_its_alerts_count(
    services: Services, rule: Rule, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = T0 + 3 * HOUR_MS
    with clock.frozen(now):
        _bad_news(services, company=2, at=now - HOUR_MS)
        learn_baselines.refresh(services)
        monkeypatch.setattr("app.model.flows.deploy_model.answering", lambda services: "other@2.0")
        assert learn_baselines.is_open(services, "entity")
        assert tick_rules.tick(services) == (), "nothing is judged by the old model's counts"
        assert learn_baselines.refresh(services) == 0
        assert post_rows.n_pending(services.db) == 20
        assert learn_baselines.refresh(services) == 0, "it waits until all are read"
        while classify_posts.classify_pending(services):
            pass
        assert learn_baselines.refresh(services) > 0
        assert not learn_baselines.is_open(services, "entity")
        assert len(tick_rules.tick(services)) == 1


def test_nothing_is_learnt_twice_at_the_same_time(services: Services, rule: Rule) -> None:
    def claims(now: int) -> bool:
        with services.db.transaction() as tx:
            return baselines.claim(tx, "entity", day=T0 // DAY_MS, model="m", now=now, lease_ms=HOUR_MS)

    assert claims(T0)
    assert not claims(T0 + 1), "another is at it"
    assert claims(T0 + HOUR_MS), "unless it died"
    with services.db.transaction() as tx:
        baselines.done(tx, "entity", at=T0)
    assert not claims(T0 + 2 * HOUR_MS), "done is done"


def test_a_rule_of_volume_hears_ordinary_news_that_a_surge_does_not(services: Services, rule: Rule) -> None:
    now = T0 + 3 * HOUR_MS
    with clock.frozen(now):
        volume = changes.add(services.db, RULE, {"name": "Volume", "kind": "volume"}, viewer=SYSTEM).row
        learn_baselines.refresh(services)
        with services.db.transaction() as tx:
            buckets.add(tx, [_bucket(4, now - HOUR_MS, n=60, k=12)])
        tick_rules.tick(services)
    assert [(one.rule_id, one.subject_id) for one in _fired(services)] == [(volume.id, "4")]


def test_absence_fires_when_nothing_is_said_and_ends_with_the_next_post(services: Services, rule: Rule) -> None:
    with clock.frozen(T0) as advance:
        changes.change(services.db, RULE, rule.id, {"is_active": False}, viewer=SYSTEM)
        changes.add(
            services.db,
            RULE,
            {"name": "Silence", "kind": "absence", "subject_id": "2", "window_ms": 2 * HOUR_MS, "recovering_ms": 0},
            viewer=SYSTEM,
        )
        _bad_news(services, company=2, at=T0 - HOUR_MS, n=9)
        assert tick_rules.tick(services) == ()
        advance(2 * HOUR_MS)
        (fired,) = tick_rules.tick(services)
        assert fired.after == "firing"
        _bad_news(services, company=2, at=T0 + 2 * HOUR_MS - 60_000, n=1)
        assert [one.after for one in tick_rules.tick(services)] == ["resolved"]


def _dated(number: int, title: str, *, at: int) -> PostDraft:
    return PostDraft(external_id=f"d{number}", title=title, occurred_at=at, precision="day")


@pytest.mark.parametrize("subject_kind", ["entity", "feed"])
def test_what_only_has_a_date_is_never_judged_within_a_day(
    services: Services, people: Desk, subject_kind: SubjectKind
) -> None:
    changes.add(services.db, ENTITY, {"ticker": "NWHL", "name": "Northwharf"}, viewer=SYSTEM)
    changes.add(services.db, FEED, {"slug": "paper", "name": "Paper", "kind": "push"}, viewer=SYSTEM)
    common: dict[str, Any] = {"subject_kind": subject_kind, "window_ms": 2 * HOUR_MS, "recovering_ms": 0}
    changes.add(services.db, RULE, {"name": "Mention", "kind": "mention", "min_negative": 1, **common}, viewer=SYSTEM)
    changes.add(services.db, RULE, {"name": "Silence", "kind": "absence", "min_stories": 1, **common}, viewer=SYSTEM)
    with clock.frozen(T0) as advance:
        ingest_posts.receive(services, 1, [_dated(0, "Northwharf opens a mill", at=T0 - DAY_MS)], viewer=SYSTEM)
        advance(15 * HOUR_MS)
        # What is dated today came in the afternoon; until then nothing came, which is no silence.
        assert tick_rules.tick(services) == ()
        ingest_posts.receive(services, 1, [_dated(1, "Northwharf falls after fraud probe", at=T0)], viewer=SYSTEM)
        (fired,) = tick_rules.tick(services)
        assert fired.reason == "fired"
        advance(24 * HOUR_MS)
        assert [one.after for one in tick_rules.tick(services)] == ["resolved"]
        advance(24 * HOUR_MS)
        (silent,) = tick_rules.tick(services)
        assert silent.reason == "fired"


def test_every_mention_of_a_rare_company_is_told(services: Services, rule: Rule) -> None:
    changes.add(services.db, ENTITY, {"ticker": "RARE", "name": "Quillmark"}, viewer=SYSTEM)
    with clock.frozen(T0):
        mention = changes.add(
            services.db,
            RULE,
            {"name": "Each", "kind": "mention", "subject_id": "7", "min_negative": 0, "window_ms": HOUR_MS},
            viewer=SYSTEM,
        ).row
        assert tick_rules.tick(services) == ()
        draft = PostDraft(external_id="q", title="Quillmark opens a mill by the river", occurred_at=T0 - 60_000)
        ingest_posts.receive(services, 1, [draft], viewer=SYSTEM)
        tick_rules.tick(services)
    assert [(one.rule_id, one.subject_id) for one in _fired(services)] == [(mention.id, "7")]


def test_a_budget_has_bounds(services: Services, rule: Rule) -> None:
    with pytest.raises(InputError):
        changes.add(services.db, RULE, {"name": "x", "kind": "surge", "budget": 0.0}, viewer=SYSTEM)
    with pytest.raises(InputError):
        changes.add(services.db, RULE, {"name": "x", "kind": "guess"}, viewer=SYSTEM)


def test_posts_of_the_future_are_taken_for_the_present_and_a_clock_set_back_moves_nothing(
    services: Services, rule: Rule
) -> None:
    now = T0 + 3 * HOUR_MS
    with clock.frozen(now):
        learn_baselines.refresh(services)
        _bad_news(services, company=5, at=now + 30 * DAY_MS)
        assert len(tick_rules.tick(services)) == 1
        (alert,) = _fired(services)
    with clock.frozen(now - 2 * DAY_MS):
        tick_rules.tick(services)
    with clock.frozen(now + 60_000):
        tick_rules.tick(services)
    (still,) = rows.open_ones(services.db)
    assert (still.id, still.state, still.firing_at) == (alert.id, "firing", alert.firing_at), "one episode, told once"


def test_a_back_test_finds_what_happened_and_keeps_the_budget(services: Services, rule: Rule) -> None:
    surge_at = T0 - 3 * DAY_MS + 6 * HOUR_MS
    with services.db.transaction() as tx:
        buckets.add(tx, [_bucket(3, surge_at + hour * HOUR_MS, n=12, k=11) for hour in range(5)])
    found = backtest_rule.back_test(services, rule, days=7, now=T0 + HOUR_MS)
    met = [one for one in found.episodes if one.subject_id == "3" and 0 <= one.started_at - surge_at <= 6 * HOUR_MS]
    assert len(met) == 1
    assert met[0].ended_at - surge_at < DAY_MS
    assert (found.n_subjects, found.n_known) == (COMPANIES, COMPANIES)
    assert len(found.episodes) <= 3
    assert found.a_week == len(found.episodes)
    fixed = replace(rule, kind="threshold", share=0.6, min_stories=20, window_ms=4 * HOUR_MS)
    other = backtest_rule.back_test(services, fixed, days=7, now=T0 + HOUR_MS)
    assert [one.subject_id for one in other.episodes] == ["3"]
    later = later_by(other, than=found)
    assert later is not None
    assert abs(later) <= 4 * HOUR_MS
    with pytest.raises(InputError):
        backtest_rule.back_test(services, replace(rule, kind="absence"), days=7)
