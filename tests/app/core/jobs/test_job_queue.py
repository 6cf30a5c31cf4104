"""Long work: accepted, done, counted, and taken up again after a crash."""

from __future__ import annotations

import json
from typing import cast

import pytest

from app.core import changes, clock
from app.core.errors import InputError, NotFound
from app.core.jobs import job_queue
from app.core.jobs import job_rows as rows
from app.core.jobs.job import JobKind
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketFilter
from app.desk.store import inbox_query
from app.market.domain.market import PostDraft, PostFilter
from app.market.flows import ingest_posts, recommend_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.store import posts as post_rows
from app.recommend.domain import Feedback
from tests.app.conftest import Desk


def test_posts_are_imported_with_their_faults(services: Services, people: Desk) -> None:
    changes.add(services.db, FEED, {"slug": "file", "name": "File", "kind": "file"}, viewer=SYSTEM)
    lines = [json.dumps({"external_id": str(number), "title": f"Headline {number} falls"}) for number in range(5)]
    content = "\n".join([*lines, "not json", json.dumps({"external_id": "9"})]).encode()
    job = job_queue.enqueue(
        services, kind="import_posts", viewer=people.admin, params={"feed_id": 1, "format": "jsonl"}, content=content
    )
    assert (job.state, job_queue.run_due(services)) == ("queued", 1)
    done = rows.get(services.db, job.id)
    assert (done.state, done.n_done, done.n_failed) == ("completed", 5, 2)
    assert [one.row for one in done.errors] == [6, 7]
    assert post_rows.page(services.db, PostFilter(), viewer=SYSTEM).total == 5
    assert services.db.value("SELECT count(*) FROM blob") == 0
    assert job_queue.run_due(services) == 0


def test_tickets_are_imported_from_csv(services: Services, people: Desk) -> None:
    lines = [
        "subject,body,customer_email",
        "Hello,I want a refund,a@x.org",
        "Empty,,c@x.org",
        "Two,Where is it?,b@x.org",
    ]
    content = "\n".join(lines)
    job = job_queue.enqueue(
        services, kind="import_tickets", viewer=people.admin, params={"format": "csv"}, content=content.encode()
    )
    job_queue.run_due(services)
    done = rows.get(services.db, job.id)
    assert (done.state, done.n_done, done.n_failed) == ("completed", 2, 1)
    assert inbox_query.page(services.db, TicketFilter(), viewer=SYSTEM).total == 2


def test_a_job_that_cannot_be_done_says_why(services: Services, people: Desk) -> None:
    job = job_queue.enqueue(services, kind="fetch_feed", viewer=people.admin, params={"feed_id": 77})
    job_queue.run_due(services)
    failed = rows.get(services.db, job.id)
    assert (failed.state, failed.errors[0].code) == ("failed", "not_found")
    with pytest.raises(InputError):
        job_queue.enqueue(services, kind=cast(JobKind, "dance"), viewer=people.admin)


def test_a_job_whose_worker_died_is_taken_up_again(services: Services, people: Desk) -> None:
    job = job_queue.enqueue(services, kind="reindex_articles", viewer=people.admin)
    now = clock.now_ms()
    with services.db.transaction() as tx:
        assert rows.claim(tx, now=now, stale_at=now - job_queue.STALE_MS) is not None
    assert job_queue.run_due(services) == 0
    with clock.frozen(now + job_queue.STALE_MS):
        assert job_queue.run_due(services) == 1
    assert rows.get(services.db, job.id).state == "completed"


def test_readers_get_what_they_like_and_never_what_they_hid(services: Services, people: Desk) -> None:
    for ticker, name in (("NWHL", "Northwharf"), ("BRWG", "Brantwing")):
        changes.add(services.db, ENTITY, {"ticker": ticker, "name": name}, viewer=SYSTEM)
    feed_id = changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM).row.id
    now = clock.now_ms()
    titles = ["Northwharf falls hard", "Northwharf rises on tea", "Brantwing beats all", "Brantwing court case opens"]
    drafts = [PostDraft(external_id=title, title=title, occurred_at=now - 1000) for title in titles]
    ids = [result.id or 0 for result in ingest_posts.receive(services, feed_id, drafts, viewer=SYSTEM)]
    reader = people.admin_user.id
    given = [
        Feedback(user_id=reader, post_id=ids[0], kind="like", at=now),
        Feedback(user_id=reader, post_id=ids[2], kind="hide", at=now),
    ]
    assert recommend_posts.feedback(services, [*given, given[0]], viewer=people.admin) == 3
    found = recommend_posts.recommend(services, reader, viewer=people.admin, exclude_seen=False)
    assert [one.post_id for one in found][-1] == ids[3]
    assert ids[2] not in [one.post_id for one in found]
    unseen = recommend_posts.recommend(services, reader, viewer=people.admin)
    assert [one.post_id for one in unseen] == [ids[1], ids[3]]
    assert any(reason.feature == "entity:1" for reason in unseen[0].reasons)
    unknown = Feedback(user_id=reader, post_id=99, kind="read", at=now)
    with pytest.raises(NotFound):
        recommend_posts.feedback(services, [unknown], viewer=people.admin)
