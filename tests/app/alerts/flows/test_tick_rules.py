"""A surge of bad news becomes one alert, told once, through restarts, silences and its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from standardwebhooks.webhooks import Webhook

from app.alerts.domain.alert import Rule
from app.alerts.flows import act_on_alert, keep_silences, notify_alerts, tick_rules
from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alerts as rows
from app.core import changes, clock
from app.core.db import open_database
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, InputError, NotFound
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.notify.flows import deliver_notifications
from app.notify.flows.keep_receivers import RECEIVER
from app.notify.store import notifications as kept
from app.notify.store import receivers
from tests.app.conftest import Desk
from tests.app.policies import make_policy

T0 = 1_780_000_000_000 - 1_780_000_000_000 % HOUR_MS
WORDS = "amber brass cedar delta ember fjord grain harbour island jetty kelp lantern meadow north opal pier quay river"
NAMES = tuple(WORDS.split(" "))


class Receiver(BaseHTTPRequestHandler):
    """A webhook receiver that keeps what it gets and answers as it is told to."""

    status = 200
    got: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).got.append((dict(self.headers.items()), body))
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """A receiver on this machine."""
    Receiver.got, Receiver.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def rule(services: Services, people: Desk) -> Rule:
    """A rule on companies, one company, and a month of calm news."""
    changes.add(
        services.db,
        ENTITY,
        {"ticker": "NWHL", "name": "Northwharf Logistics", "aliases": ("Northwharf",)},
        viewer=SYSTEM,
    )
    changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
    calm = [
        headline(
            f"c{day}{number}",
            f"Northwharf {NAMES[day % 14]} {NAMES[number]} opens {'rises' if number else 'falls'}",
            T0 - day * DAY_MS,
        )
        for day in range(3, 20)
        for number in range(3)
    ]
    with clock.frozen(T0):
        ingest_posts.receive(services, 1, calm, viewer=SYSTEM)
        return changes.add(
            services.db, RULE, {"name": "Bad news surge", "min_stories": 5, "min_negative": 4}, viewer=SYSTEM
        ).row


def headline(external_id: str, title: str, at: int) -> PostDraft:
    """A post."""
    return PostDraft(external_id=external_id, title=title, occurred_at=at)


def surge(services: Services, *, at: int) -> None:
    """Eight bad stories that share no words but the company's name."""
    titles = [f"Northwharf {NAMES[2 * one]} strike {NAMES[2 * one + 1]}" for one in range(8)]
    bad = [headline(f"s{one}", title, at) for one, title in enumerate(titles)]
    ingest_posts.receive(services, 1, bad, viewer=SYSTEM)


def test_a_surge_fires_once_and_ends(services: Services, rule: Rule) -> None:
    with clock.frozen(T0) as advance:
        assert tick_rules.tick(services) == ()
        surge(services, at=T0 - HOUR_MS)
        (fired,) = tick_rules.tick(services)
        assert (fired.after, fired.reason) == ("firing", "fired")
        assert tick_rules.tick(services) == ()
        (alert,) = rows.open_ones(services.db)
        assert alert.observed["n_negative"] == 8
        assert alert.observed["baseline_share"] < 0.4
        assert len(notify_alerts.stories_behind(services.db, alert, viewer=SYSTEM, limit=20)) == 8
        advance(DAY_MS)
        assert [one.after for one in tick_rules.tick(services)] == ["recovering"]
        advance(rule.recovering_ms)
        assert [one.after for one in tick_rules.tick(services)] == ["resolved"]
        assert rows.open_ones(services.db) == ()
    verbs = [(one.verb, one.actor_kind) for one in event_log.of(services.db, "alert", alert.id)]
    assert verbs == [("firing", "rule"), ("recovering", "rule"), ("resolved", "rule")]


def test_receivers_are_told_once_with_a_signature(services: Services, rule: Rule, url: str) -> None:
    services.policy = replace(services.policy, is_fetching_private=True)
    hook = changes.add(services.db, RECEIVER, {"name": "Hook", "kind": "webhook", "url": url}, viewer=SYSTEM).row
    surge_at = T0 - HOUR_MS
    with clock.frozen(T0):
        surge(services, at=surge_at)
        tick_rules.tick(services)
    again = Services(db=open_database(services.db.path), engine=services.engine, policy=services.policy)
    now = clock.now_ms()
    with clock.frozen(now) as advance:
        assert tick_rules.tick(again, now=T0) == ()
        Receiver.status = 503
        assert deliver_notifications.deliver_due(again) == 0
        (waiting,) = kept.page(again.db).items
        assert (waiting.state, waiting.last_error, waiting.n_attempts) == ("queued", "http_503", 1)
        assert deliver_notifications.deliver_due(again) == 0
        Receiver.status = 200
        advance(10_000)
        assert deliver_notifications.deliver_due(again) == 1
        assert deliver_notifications.deliver_due(again) == 0
    again.db.close()
    (first, body), (second, _) = Receiver.got
    assert first["webhook-id"] == second["webhook-id"]
    found = Webhook(hook.secret).verify(body, {key.lower(): value for key, value in first.items()})
    assert (found["type"], found["data"]["alert"]["subject"]) == ("alert.firing", "Northwharf Logistics")
    assert len(found["data"]["alert"]["stories"]) == 5
    assert [one.error for one in kept.attempts(services.db, waiting.id)] == ["http_503", None]


def test_a_receiver_that_is_gone_is_never_called_again(services: Services, rule: Rule, url: str) -> None:
    services.policy = make_policy(is_fetching_private=True)
    changes.add(
        services.db, RECEIVER, {"name": "Hook", "kind": "webhook", "url": url, "verbs": ("alert.*",)}, viewer=SYSTEM
    )
    with clock.frozen(T0):
        surge(services, at=T0 - HOUR_MS)
        tick_rules.tick(services)
        Receiver.status = 410
        assert deliver_notifications.deliver_due(services) == 0
    (failed,) = kept.page(services.db, state="failed").items
    assert failed.last_error == "gone"
    assert not receivers.get(services.db, 1).is_active


def test_private_addresses_are_refused_by_default(services: Services, rule: Rule, url: str) -> None:
    changes.add(services.db, RECEIVER, {"name": "Hook", "kind": "webhook", "url": url}, viewer=SYSTEM)
    with clock.frozen(T0):
        surge(services, at=T0 - HOUR_MS)
        tick_rules.tick(services)
        deliver_notifications.deliver_due(services)
    assert Receiver.got == []
    assert kept.page(services.db).items[0].last_error == "not_public"


def test_a_silence_tells_nobody_and_the_alert_goes_on(services: Services, people: Desk, rule: Rule, url: str) -> None:
    changes.add(services.db, RECEIVER, {"name": "Hook", "kind": "webhook", "url": url}, viewer=SYSTEM)
    with clock.frozen(T0) as advance:
        about = {"subject_kind": "entity", "subject_id": "1", "until": T0 + HOUR_MS, "comment": "known"}
        quiet = keep_silences.begin_silence(services.db, about, viewer=people.analyst).row
        surge(services, at=T0 - HOUR_MS)
        assert len(tick_rules.tick(services)) == 1
        assert kept.page(services.db).items == ()
        advance(1000)
        keep_silences.end_silence(services, quiet.id, viewer=people.analyst)
        advance(2 * DAY_MS)
        tick_rules.tick(services)
        advance(DAY_MS)
        tick_rules.tick(services)
    assert kept.page(services.db).items == ()
    with pytest.raises(InputError):
        keep_silences.begin_silence(services.db, about | {"until": 1}, viewer=people.analyst)


def test_the_first_to_acknowledge_counts(services: Services, people: Desk, rule: Rule) -> None:
    with clock.frozen(T0) as advance:
        surge(services, at=T0 - HOUR_MS)
        tick_rules.tick(services)
        (alert,) = rows.open_ones(services.db)
        first = act_on_alert.acknowledge(services, alert.id, viewer=people.analyst).row
        advance(1)
        assert act_on_alert.acknowledge(services, alert.id, viewer=people.admin).row == first
        advance(1000)
        tick_rules.tick(services)
        assert rows.get(services.db, alert.id).version == first.version
        changes.change(services.db, RULE, rule.id, {"is_active": False}, viewer=SYSTEM)
        assert [one.reason for one in tick_rules.tick(services)] == ["rule_off"]
    with pytest.raises(Conflict, match="rule_in_use"):
        changes.remove(services.db, RULE, rule.id, viewer=SYSTEM)
    with pytest.raises(NotFound):
        act_on_alert.acknowledge(services, 99, viewer=people.analyst)


@pytest.mark.parametrize(
    "values",
    [
        {"name": " "},
        {"share": 1.2},
        {"share": float("nan")},
        {"window_ms": 10},
        {"window_ms": 2**70},
        {"severity": "loud"},
        {"subject_kind": "planet"},
        {"id": 3},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(services: Services, values: dict[str, object]) -> None:
    with pytest.raises(InputError):
        changes.add(services.db, RULE, {"name": "Rule", **values}, viewer=SYSTEM)
