"""Alerts reach the right people through routes, nights, outages, kills and restarts: once, and none forgotten."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from app.alerts.flows import act_on_alert, keep_silences, notify_alerts, tick_rules
from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alert_feedback
from app.alerts.store import alerts as rows
from app.core import changes, clock
from app.core.db import open_database
from app.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from app.core.errors import InputError
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.notify.flows import deliver_notifications
from app.notify.flows.keep_receivers import RECEIVER
from app.notify.store import notifications as kept
from tests.app.alerts.flows.test_tick_rules import NAMES, T0, Receiver, headline
from tests.app.alerts.flows.test_tick_rules import url as url  # the fixture
from tests.app.conftest import Desk
from tests.app.policies import make_policy

SHORT = {"window_ms": 2 * HOUR_MS, "recovering_ms": 0}
COMPANIES = (("NWHL", "Northwharf", "Ports"), ("LKSP", "Larkspur", "Banks"), ("COBT", "Cobalt", "Banks"))


@pytest.fixture
def market_of_three(services: Services, people: Desk) -> None:
    """Three companies of two sectors and a rule that fires at once."""
    services.policy = make_policy(is_fetching_private=True)
    for ticker, name, sector in COMPANIES:
        changes.add(services.db, ENTITY, {"ticker": ticker, "name": name, "sector": sector}, viewer=SYSTEM)
    changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
    changes.add(services.db, RULE, {"name": "Surge", "min_stories": 5, "min_negative": 4}, viewer=SYSTEM)


def surge(services: Services, name: str, *, at: int, verb: str = "strike") -> None:
    """Eight bad stories about a company."""
    bad = [
        headline(f"{name}{one}-{at}", f"{name} {NAMES[2 * one]} {verb} {NAMES[2 * one + 1]}", at - MINUTE_MS)
        for one in range(8)
    ]
    ingest_posts.receive(services, 1, bad, viewer=SYSTEM)


def add(services: Services, url: str, **route: Any) -> int:
    """A webhook with a route."""
    given = {"name": "Hook", "kind": "webhook", "url": url, **route}
    receiver = changes.add(services.db, RECEIVER, given, viewer=SYSTEM).row
    return receiver.id


def told(services: Services) -> list[tuple[str, tuple[str, ...]]]:
    """What was queued: the kind and the companies, oldest first."""
    found = kept.page(services.db, limit=100).items
    return [
        (str(one.body["kind"]), tuple(facts["subject"] for facts in one.body["alerts"]))
        for one in reversed(found)
        if "alerts" in one.body
    ]


@pytest.fixture
def advance(services: Services, market_of_three: None) -> Iterator[Any]:
    """Time that moves by hand, with a tick and a delivery each time."""
    with clock.frozen(T0) as move:

        def go(by_ms: int) -> None:
            move(by_ms)
            tick_rules.tick(services)
            deliver_notifications.deliver_due(services, limit=100)

        yield go


def test_matchers_choose_who_hears(services: Services, url: str, advance: Any) -> None:
    add(services, url, matchers=({"name": "sector", "op": "=", "value": "Banks"},))
    surge(services, "Northwharf", at=T0)
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    assert told(services) == [("firing", ("Larkspur",))]


def test_a_sector_is_told_in_one_message(services: Services, url: str, advance: Any) -> None:
    add(services, url, group_by="sector", group_wait_ms=30_000)
    for _, name, _ in COMPANIES:
        surge(services, name, at=T0)
    advance(MINUTE_MS)
    assert Receiver.got == []
    advance(MINUTE_MS)
    assert sorted(told(services)) == [("firing", ("Larkspur", "Cobalt")), ("firing", ("Northwharf",))]
    assert len(Receiver.got) == 2
    advance(MINUTE_MS)
    assert len(Receiver.got) == 2


def test_a_market_wide_alarm_mutes_its_parts_until_it_ends(services: Services, url: str, advance: Any) -> None:
    add(services, url)
    least = {"min_stories": 20, "min_negative": 15, "recovering_ms": 0, "window_ms": 2 * HOUR_MS}
    changes.add(services.db, RULE, {"name": "Wide", "subject_kind": "market", **least}, viewer=SYSTEM)
    for _, name, _ in COMPANIES:
        surge(services, name, at=T0)
    advance(MINUTE_MS)
    assert told(services) == [("firing", ("",))]
    muted = [one.muted_by for one in rows.open_ones(services.db) if one.subject_kind == "entity"]
    assert len(muted) == 3
    assert None not in muted
    # The wide window has passed, the companies' own day has not: now each is told by itself.
    advance(3 * HOUR_MS)
    assert {one for one in told(services) if one[0] == "firing"} == {
        ("firing", ("",)),
        *(("firing", (name,)) for _, name, _ in COMPANIES),
    }


def test_nobody_is_woken_at_night_for_what_can_wait(services: Services, url: str, advance: Any) -> None:
    from datetime import UTC, datetime

    minute = datetime.fromtimestamp(T0 / 1000, UTC).hour * 60
    add(services, url, quiet_from=minute, quiet_until=(minute + 120) % 1440)
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    assert told(services) == []
    advance(2 * HOUR_MS)
    assert told(services) == [("firing", ("Larkspur",))]


def test_what_nobody_acknowledges_is_told_again_and_to_others(
    services: Services, people: Desk, url: str, advance: Any
) -> None:
    add(services, url, repeat_ms=4 * HOUR_MS)
    add(services, url, escalate_ms=HOUR_MS)
    surge(services, "Larkspur", at=T0)
    surge(services, "Cobalt", at=T0)
    advance(MINUTE_MS)
    assert [kind for kind, _ in told(services)] == ["firing", "firing"]
    (first, *_others) = [one for one in rows.open_ones(services.db) if one.subject_id == "2"]
    act_on_alert.acknowledge(services, first.id, viewer=people.analyst, note="calling them")
    assert rows.get(services.db, first.id).acknowledged_note == "calling them"
    advance(HOUR_MS)
    assert told(services)[2:] == [("escalation", ("Cobalt",))]
    advance(3 * HOUR_MS)
    assert told(services)[3:] == [("repeat", ("Cobalt",))]
    advance(MINUTE_MS)
    assert len(told(services)) == 4


def test_a_silence_that_ends_tells_what_still_fires(services: Services, people: Desk, url: str, advance: Any) -> None:
    add(services, url)
    about = {"subject_kind": "entity", "subject_id": "2", "until": T0 + HOUR_MS, "comment": "known"}
    keep_silences.begin_silence(services.db, about, viewer=people.analyst)
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    assert told(services) == []
    advance(HOUR_MS)
    assert told(services) == [("firing", ("Larkspur",))]


def test_no_alarm_again_in_the_cool_down(services: Services, url: str, advance: Any) -> None:
    add(services, url)
    changes.change(services.db, RULE, 1, SHORT | {"cooldown_ms": 6 * HOUR_MS, "lift": 0}, viewer=SYSTEM)
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    advance(2 * HOUR_MS)
    surge(services, "Larkspur", at=clock.now_ms())
    advance(MINUTE_MS)
    assert [kind for kind, _ in told(services)] == ["firing", "resolved"]
    advance(6 * HOUR_MS)
    surge(services, "Larkspur", at=clock.now_ms(), verb="falls near")
    advance(MINUTE_MS)
    assert [kind for kind, _ in told(services)] == ["firing", "resolved", "firing"]


def test_an_hour_without_the_receiver_loses_nothing_and_keeps_the_order(
    services: Services, url: str, advance: Any
) -> None:
    add(services, url)
    changes.change(services.db, RULE, 1, SHORT, viewer=SYSTEM)
    Receiver.status = 503
    surge(services, "Larkspur", at=T0)
    for _ in range(90):
        advance(MINUTE_MS)
    assert [kind for kind, _ in told(services)] == ["firing", "resolved"]
    Receiver.status, Receiver.got = 200, []
    for _ in range(6):
        advance(MINUTE_MS)
    types = [json.loads(body)["type"] for _, body in Receiver.got]
    assert types == ["alert.firing", "alert.resolved"]
    (first,) = [one for one in kept.page(services.db).items if one.verb == "firing"]
    tries = kept.attempts(services.db, first.id)
    assert [one.error for one in tries[:-1]] == ["http_503"] * (len(tries) - 1)
    assert len(tries) > 15
    advance(HOUR_MS)
    assert len(Receiver.got) == 2


def test_an_alertmanager_hears_of_an_alert_until_it_is_over(services: Services, url: str, advance: Any) -> None:
    given = {"name": "AM", "kind": "alertmanager_api", "url": url.removesuffix("/hook")}
    changes.add(services.db, RECEIVER, given, viewer=SYSTEM)
    changes.change(services.db, RULE, 1, SHORT, viewer=SYSTEM)
    surge(services, "Larkspur", at=T0)
    for _ in range(75):
        advance(MINUTE_MS)
    bodies = [json.loads(body) for _, body in Receiver.got]
    over = [body for (body,) in bodies if body["endsAt"] == bodies[-1][0]["endsAt"]]
    assert 55 <= len(bodies) - len(over) <= 62
    # A firing one may have been said to last until the very minute in which it ended.
    assert 5 <= len(over) <= 7
    n_told = len(bodies)
    advance(HOUR_MS)
    assert len(Receiver.got) == n_told
    assert {one.state for one in kept.page(services.db).items} == {"sent"}


def test_a_digest_comes_once_a_day(services: Services, url: str, advance: Any) -> None:
    from datetime import UTC, datetime

    minute = datetime.fromtimestamp(T0 / 1000, UTC).hour * 60
    address = url.replace("http://", "json://")
    changes.add(
        services.db, RECEIVER, {"name": "Mail", "kind": "apprise", "url": address, "digest_at": minute}, viewer=SYSTEM
    )
    surge(services, "Larkspur", at=T0)
    surge(services, "Cobalt", at=T0)
    advance(MINUTE_MS)
    assert Receiver.got == []
    advance(DAY_MS)
    ((_, body),) = Receiver.got
    assert json.loads(body)["title"].startswith("2 alerts since ")
    advance(MINUTE_MS)
    advance(DAY_MS)
    assert len(Receiver.got) <= 2


def test_mail_and_chats_go_through_the_guard(services: Services, url: str, advance: Any) -> None:
    services.policy = make_policy(is_fetching_private=False)
    address = url.replace("http://", "json://")
    changes.add(services.db, RECEIVER, {"name": "Chat", "kind": "apprise", "url": address}, viewer=SYSTEM)
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    assert Receiver.got == []
    assert kept.page(services.db).items[0].last_error == "not_public"
    services.policy = make_policy(is_fetching_private=True)
    advance(MINUTE_MS)
    ((_, body),) = Receiver.got
    assert json.loads(body)["title"] == "[FIRING] Larkspur"


KILLED = """
import sys, time
from app.core import clock
from app.alerts.flows import tick_rules as alerts, notify_alerts
from app.core.services import Services
from tests.app.policies import make_policy
from app.core.db import open_database
from app.registration import register_flows
register_flows()
from tests.app.fake_engine import FakeEngine

def hang(*given, **named):
    print("here", flush=True)
    time.sleep(60)

if sys.argv[3] == "inside":
    notify_alerts.notify_begun = hang
services = Services(db=open_database(sys.argv[1]), engine=FakeEngine(), policy=make_policy())
with clock.frozen(int(sys.argv[2])):
    alerts.tick(services)
    hang()
"""


@pytest.mark.parametrize("where", ["inside", "after"])
def test_a_process_killed_between_transition_and_notification_tells_once(
    services: Services, url: str, market_of_three: None, where: str
) -> None:
    add(services, url)
    with clock.frozen(T0):
        surge(services, "Larkspur", at=T0)
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(services.db.path), str(T0), where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    # Inside the transaction neither the alert nor its notification exists; after it, both do.
    assert len(rows.open_ones(services.db)) == len(told(services)) == (0 if where == "inside" else 1)
    again = Services(db=open_database(services.db.path), engine=services.engine, policy=services.policy)
    with clock.frozen(T0):
        for _ in range(3):
            tick_rules.tick(again)
            deliver_notifications.deliver_due(again)
    again.db.close()
    assert [json.loads(body)["type"] for _, body in Receiver.got] == ["alert.firing"]


@pytest.mark.parametrize("by_ms", [-DAY_MS, -HOUR_MS, 30 * DAY_MS])
def test_a_clock_that_jumps_tells_nobody_twice(services: Services, url: str, advance: Any, by_ms: int) -> None:
    add(services, url)
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    advance(by_ms)
    advance(MINUTE_MS)
    assert [kind for kind, _ in told(services)].count("firing") == 1
    advance(MINUTE_MS)
    assert notify_alerts.follow_up(services) == 0


def test_of_a_judgement_the_last_word_counts(services: Services, people: Desk, advance: Any) -> None:
    surge(services, "Larkspur", at=T0)
    advance(MINUTE_MS)
    (alert,) = rows.open_ones(services.db)
    act_on_alert.judge(services, alert.id, viewer=people.analyst, remark="false_alarm")
    act_on_alert.judge(services, alert.id, viewer=people.analyst, remark="useful", comment="it was right")
    act_on_alert.report_missed(
        services, viewer=people.analyst, subject_kind="entity", subject_id="3", at=T0, comment="strike not seen"
    )
    assert alert_feedback.counts(services.db, since=T0, until=T0 + DAY_MS) == {"useful": 1, "missed": 1}
    with pytest.raises(InputError):
        act_on_alert.report_missed(
            services, viewer=people.analyst, subject_kind="entity", subject_id="3", at=T0 + DAY_MS, comment=""
        )
