"""Claims of a process that died are free at once, and those of one that lives are left to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.alerts.domain.false_alarms import RuleCheck
from app.alerts.store import baselines, false_alarm_rows
from app.core import changes, clock
from app.core.db import Database
from app.core.errors import NotReady
from app.core.jobs import job_queue, job_rows
from app.core.leases import free_dead_claims
from app.core.leases import lease_rows as rows
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import act_on_ticket, file_ticket
from app.desk.store import mailboxes, messages, outbox
from app.market.flows import ingest_posts, read_folders
from app.market.flows.keep_feeds import FEED
from app.market.flows.read_posts import posts_from_json
from app.market.sources.watched_folder import SETTLED_MS
from app.market.store import feeds as feed_rows
from app.market.store import posts as post_rows
from app.notify.store import notifications
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine
from tests.process import ROOT

LATER = 10 * 60_000


@contextmanager
def elsewhere(services: Services) -> Iterator[Services]:
    """The services of another process: what it claims is another holder's, until this ends."""
    other = replace(services, db=Database(services.db.path))
    yield other
    other.db.close()


def leased(services: Services) -> set[str]:
    return {row["noun"] for row in services.db.rows("SELECT noun FROM lease")}


def claim_everything(services: Services, people: Desk, engine: FakeEngine) -> None:
    """One row of each kind that is claimed, made and claimed by this process."""
    feed = changes.add(
        services.db, FEED, {"slug": "news", "name": "News", "kind": "rss", "url": "http://127.0.0.1/f"}, viewer=SYSTEM
    ).row
    engine.failure = NotReady()
    ingest_posts.receive(services, feed.id, posts_from_json({"title": "Larkspur falls"}), viewer=SYSTEM)
    draft = TicketDraft(subject="", body="my refund", channel="email", customer_email="kim@example.org")
    ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    engine.failure = None
    with services.db.transaction() as tx:
        mailbox_id = tx.insert(
            "mailbox",
            {"address": "help@example.org", "queue_id": people.intake, "imap_host": "x", "smtp_host": "x"},
        )
    act_on_ticket.reply(services, ticket.id, viewer=people.admin, body="It is on its way")
    job_queue.enqueue(services, kind="reindex_articles", viewer=people.admin)
    with services.db.transaction() as tx:
        receiver_id = tx.insert("receiver", {"name": "r", "kind": "webhook", "url": "http://x", "secret": "s"})
        now = clock.now_ms()
        notification_id = (
            notifications.insert(
                tx,
                receiver_id=receiver_id,
                verb="test",
                noun="receiver",
                noun_id=receiver_id,
                dedup_key="d",
                body={},
                at=now,
            )
            or 0
        )
        rule_id = tx.value("SELECT id FROM rule") or tx.insert("rule", RULE)
        until = now + LATER
        letter = tx.value("SELECT id FROM outbox")
        assert feed_rows.claim(tx, feed.id, now=now, until=until)
        assert mailboxes.claim(tx, mailbox_id, now=now, until=until)
        assert outbox.claim(tx, letter, now=now + LATER - 1, until=until)
        assert notifications.claim(tx, notification_id, now=now, until=until)
        assert messages.claim(tx, tx.value("SELECT id FROM message"), now=now, until=until)
        post_rows.put_off(tx, [tx.value("SELECT id FROM post")], until=until)
        assert job_rows.claim(tx, now=now, stale_at=now - LATER)
        assert baselines.claim(tx, "entity", day=1, model="m", now=now, lease_ms=LATER)
        assert false_alarm_rows.claim_check(tx, rule_id, key="k", now=now, lease_ms=LATER)


RULE = {
    "name": "Surge", "subject_kind": "entity", "window_ms": 1, "baseline_ms": 1, "min_stories": 1, "min_negative": 1,
    "share": 0.5, "lift": 1, "pending_ms": 0, "recovering_ms": 0, "severity": "info",
}  # fmt: skip


def due(services: Services, *, now: int) -> dict[str, bool]:
    """Which kinds of claimed things anybody may take now."""
    db = services.db
    with db.transaction() as tx:
        return {
            "job": job_rows.is_any_due(db, stale_at=now - LATER),
            "feed": bool(feed_rows.due(db, now=now)),
            "mailbox": bool(mailboxes.due(db, now=now)),
            "outbox": bool(outbox.due(db, now=now, limit=9)),
            "notification": bool(notifications.due(db, now=now, limit=9)),
            "message": bool(messages.pending(db, now=now, limit=9)),
            "post": bool(post_rows.pending(db, now=now, limit=9)),
            "learning": baselines.claim(tx, "entity", day=1, model="m", now=now, lease_ms=LATER),
            "rule_check": false_alarm_rows.claim_check(
                tx, tx.value("SELECT rule_id FROM rule_check"), key="k", now=now, lease_ms=LATER
            ),
        }


def test_everything_that_a_dead_process_claimed_is_free(services: Services, people: Desk, engine: FakeEngine) -> None:
    with elsewhere(services) as other:
        claim_everything(other, people, engine)
        assert leased(services) == set(due(services, now=clock.now_ms()))
        free_dead_claims.free_dead_claims(services)
        assert not any(due(services, now=clock.now_ms()).values()), "its process lives"
    free_dead_claims.free_dead_claims(services)
    assert leased(services) == set()
    free = due(services, now=clock.now_ms())
    assert free == dict.fromkeys(free, True)


def test_what_was_settled_or_taken_over_is_left_alone(services: Services, people: Desk, engine: FakeEngine) -> None:
    with elsewhere(services) as other:
        claim_everything(other, people, engine)
        now = clock.now_ms()
        with other.db.transaction() as tx:
            mailboxes.note_poll(tx, 1, at=now, next_at=now + 2 * LATER, error=None)
            false_alarm_rows.put_check(tx, RuleCheck(rule_id=1, since=0, until=1, n_alarms=0, n_subjects=1, n_known=1))
        with clock.frozen(now + LATER), services.db.transaction() as tx:
            assert job_rows.claim(tx, now=now + LATER, stale_at=now)
    free_dead_claims.free_dead_claims(services)
    assert services.db.value("SELECT next_poll_at FROM mailbox") == now + 2 * LATER
    assert services.db.value("SELECT claimed_at FROM rule_check") > 0
    assert not job_rows.is_any_due(services.db, stale_at=now)
    assert leased(services) == {"job"}


def test_notes_of_settled_claims_are_dropped(services: Services, people: Desk, engine: FakeEngine) -> None:
    claim_everything(services, people, engine)
    jobs_claimed = job_rows.get(services.db, 1)
    with services.db.transaction() as tx:
        job_rows.finish(tx, jobs_claimed.id, state="completed", at=clock.now_ms())
        mailboxes.note_poll(tx, 1, at=0, next_at=1, error=None)
    assert free_dead_claims.delete_settled(services) == 2
    assert {"job", "mailbox"} & leased(services) == set()
    assert "feed" in leased(services)


def test_a_file_whose_reader_died_is_read_at_once(services: Services, tmp_path: Path) -> None:
    services.policy = replace(services.policy, feed_folder=tmp_path / "feeds")
    changes.add(services.db, FEED, {"slug": "drop", "name": "Drop", "kind": "file"}, viewer=SYSTEM)
    folder = tmp_path / "feeds" / "drop"
    with elsewhere(services) as other:
        taken = folder / "working" / other.db.holder.name
        taken.mkdir(parents=True)
        (taken / "a.jsonl").write_text('{"title": "Larkspur rises"}\n', encoding="utf-8")
        at = time.time_ns() - SETTLED_MS * 1_000_000
        os.utime(taken / "a.jsonl", ns=(at, at))
        assert read_folders.read_all(services) == 0
    assert read_folders.read_all(services) == 1
    assert [str(entry.relative_to(folder)) for entry in folder.rglob("*") if entry.is_file()] == ["done/a.jsonl"]
    assert not list((folder / "working").iterdir())


HOLDING = """
import sys
from pathlib import Path
from app.core.leases.holders import Holder
print(Holder(Path(sys.argv[1])).name, flush=True)
sys.stdin.read()
"""


def test_the_kernel_says_who_lives(services: Services, tmp_path: Path) -> None:
    folder = services.db.path.with_name(services.db.path.name + "-holders")
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    name, mine = other.stdout.readline().strip(), services.db.holder.name
    assert services.db.holder.is_alive(name)
    other.kill()
    other.wait(30)
    assert not services.db.holder.is_alive(name)
    (folder / "left-over").touch()
    services.db.holder.delete_dead_files()
    assert [entry.name for entry in folder.iterdir()] == [mine]
    assert rows.dead_holders(services.db) == []


def test_a_job_of_a_killed_worker_is_done_within_seconds_of_the_next_start(services: Services, people: Desk) -> None:
    from app.worker import Worker

    job_queue.enqueue(services, kind="reindex_articles", viewer=people.admin)
    with elsewhere(services) as other, other.db.transaction() as tx:
        job_rows.claim(tx, now=clock.now_ms(), stale_at=0)
    running, until = Worker(services, tick_seconds=60), time.monotonic() + 30
    running.start()
    try:
        while job_rows.get(services.db, 1).state != "completed" and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        running.stop()
    assert job_rows.get(services.db, 1).state == "completed"


@pytest.mark.parametrize("name", ["0123456789abcdef", "never"])
def test_a_name_without_a_file_is_dead(services: Services, name: str) -> None:
    assert not services.db.holder.is_alive(name)
