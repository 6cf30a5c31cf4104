"""Posts in: entities and sentiment found, stories joined, and counts that always equal a count from nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from app.core import changes, clock
from app.core.db import open_database
from app.core.durations import DAY_MS, HOUR_MS
from app.core.engine_interface import Request, Result
from app.core.errors import InputError, NotFound, NotReady
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.intents.flows import correct_prediction
from app.market.domain.market import PostDraft, PostFilter, PostResult
from app.market.flows import classify_posts, count_posts, ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.store import buckets, mentions
from app.market.store import posts as rows
from app.people.flows.keep_teams import TEAM
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine

T0 = 1_780_000_000_000 - 1_780_000_000_000 % HOUR_MS


@pytest.fixture
def feed_id(services: Services, people: Desk) -> int:
    """A pushed feed, and two watched companies."""
    changes.add(
        services.db,
        ENTITY,
        {"ticker": "NWHL", "name": "Northwharf Logistics", "aliases": ("Northwharf",)},
        viewer=SYSTEM,
    )
    changes.add(
        services.db, ENTITY, {"ticker": "BRWG", "name": "Brantwing Couriers", "aliases": ("Brantwing",)}, viewer=SYSTEM
    )
    return changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM).row.id


def post(number: int, title: str, *, at: int = T0) -> PostDraft:
    """A headline."""
    return PostDraft(external_id=f"p{number}", title=title, occurred_at=at)


def check(services: Services) -> None:
    """The kept counts equal a count from nothing, bit for bit."""
    assert buckets.every(services.db) == count_posts.count_anew(services.db)


def test_a_post_is_understood_towards_each_company(services: Services, feed_id: int) -> None:
    title = "Northwharf falls after strike while Brantwing beats forecasts"
    (result,) = ingest_posts.receive(services, feed_id, [post(1, title)], viewer=SYSTEM)
    assert (result.state, result.error) == ("created", None)
    assert result.id is not None
    stored = rows.get(services.db, result.id)
    assert (stored.topic, stored.sentiment) == ("earnings", "negative")
    found = {one.surface: one.sentiment for one in mentions.of_posts(services.db, [result.id])[result.id]}
    assert found == {"Northwharf": "negative", "Brantwing": "positive"}
    check(services)


def test_updates_duplicates_and_late_arrivals_keep_the_counts_exact(services: Services, feed_id: int) -> None:
    first = [
        post(1, "Northwharf falls after fraud probe in three ports", at=T0 + 5 * HOUR_MS),
        post(2, "UPDATE 1-Northwharf falls after fraud probe in three ports", at=T0 + 6 * HOUR_MS),
        post(3, "Brantwing beats forecasts on record parcels", at=T0 + HOUR_MS),
        post(4, "hmm Brantwing", at=T0 + HOUR_MS),
    ]
    ingest_posts.receive(services, feed_id, first, viewer=SYSTEM)
    check(services)
    one = buckets.window(services.db, subject_kind="entity", subject_id="1", since=T0, until=T0 + DAY_MS)
    assert (one.n_posts, one.n_stories, one.n_negative) == (2, 1, 1)
    late = post(5, "Northwharf falls after fraud probe in three ports", at=T0)
    ingest_posts.receive(services, feed_id, [late], viewer=SYSTEM)
    check(services)
    moved = buckets.of_subject(services.db, subject_kind="entity", subject_id="1", since=T0, until=T0 + DAY_MS)
    assert [(bucket.at, bucket.n_posts, bucket.n_stories) for bucket in moved] == [
        (T0, 1, 1),
        (T0 + 5 * HOUR_MS, 1, 0),
        (T0 + 6 * HOUR_MS, 1, 0),
    ]
    changed = [replace(late, title="Northwharf rises on record volumes"), replace(first[2], title="Nothing at all")]
    results = ingest_posts.receive(services, feed_id, [*changed, first[3]], viewer=SYSTEM)
    assert [result.state for result in results] == ["updated", "updated", "unchanged"]
    check(services)


def test_a_story_posted_fifty_times_is_one_story(services: Services, feed_id: int) -> None:
    copies = [post(number, "Northwharf falls after fraud probe", at=T0 + number * 60_000) for number in range(50)]
    ingest_posts.receive(services, feed_id, copies, viewer=SYSTEM)
    window = buckets.window(services.db, subject_kind="market", subject_id="all", since=T0, until=T0 + DAY_MS)
    assert (window.n_posts, window.n_stories, window.n_negative) == (50, 1, 1)
    check(services)


def test_rows_are_answered_in_their_order(services: Services, feed_id: int) -> None:
    drafts: list[PostDraft | RowFault] = [
        post(1, "Northwharf falls"),
        RowFault(row=2, code="not_json"),
        post(3, "   "),
        post(1, "Northwharf rises"),
    ]
    results = ingest_posts.receive(services, feed_id, drafts, viewer=SYSTEM)
    assert [(one.row, one.state, one.error) for one in results] == [
        (1, "unchanged", None),
        (2, "failed", "not_json"),
        (3, "failed", "empty_text"),
        (4, "created", None),
    ]
    assert results[0].id == results[3].id


def test_many_chunks_are_answered_in_order_and_counted_exactly(services: Services, feed_id: int) -> None:
    words = ("falls", "rises", "opens", "halts", "sells")
    drafts: list[PostDraft | RowFault] = [
        post(number % 611, f"Northwharf {words[number % 5]} dock {number % 611}", at=T0 + number % 70 * HOUR_MS)
        for number in range(700)
    ]
    drafts[650] = RowFault(row=650, code="not_json")
    results = ingest_posts.receive(services, feed_id, drafts, viewer=SYSTEM)
    assert [result.row for result in results] == list(range(1, 701))
    states = [result.state for result in results]
    # Numbers of the second round are told at another hour: the same posts, changed.
    assert (states.count("created"), states.count("updated"), states.count("failed")) == (611, 88, 1)
    assert services.db.value("SELECT count(*) FROM post") == 611
    check(services)


def test_what_came_before_an_error_is_stored(services: Services, feed_id: int) -> None:
    def broken() -> Iterator[PostDraft]:
        yield from (post(number, f"Northwharf opens dock {number}") for number in range(300))
        raise InputError("empty_file")

    with pytest.raises(InputError):
        ingest_posts.receive(services, feed_id, broken(), viewer=SYSTEM)
    assert services.db.value("SELECT count(*) FROM post") == 300
    check(services)


def test_who_stops_listening_stops_the_reading(services: Services, feed_id: int) -> None:
    drafts = (post(number, f"Northwharf opens dock {number}") for number in range(100_000))
    answers = ingest_posts.receive_each(services, feed_id, drafts, viewer=SYSTEM)
    assert next(answers).state == "created"
    cast(Generator[PostResult, None, None], answers).close()
    assert services.db.value("SELECT count(*) FROM post") == 64
    # Three groups were taken up: one that is being stored, and two that are read meanwhile.
    assert next(drafts).external_id == "p768"
    check(services)


def test_what_is_known_already_is_not_read_again(
    services: Services, feed_id: int, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [post(number, f"Northwharf opens dock {number}") for number in range(10)]
    ingest_posts.receive(services, feed_id, drafts, viewer=SYSTEM)
    read: list[str] = []
    classify = engine.classify

    def noted(requests: Sequence[Request], **options: Any) -> list[Result]:
        read.extend(request.text for request in requests if request.target is None)
        return classify(requests, **options)

    monkeypatch.setattr(engine, "classify", noted)
    again = ingest_posts.receive(services, feed_id, [*drafts, post(10, "Brantwing beats forecasts")], viewer=SYSTEM)
    assert [one.state for one in again] == ["unchanged"] * 10 + ["created"]
    assert read == ["Brantwing beats forecasts"]


def test_posts_wait_for_the_model_and_are_counted_then(services: Services, feed_id: int, engine: FakeEngine) -> None:
    engine.failure = NotReady()
    ingest_posts.receive(services, feed_id, [post(1, "Northwharf falls"), post(2, "Brantwing rises")], viewer=SYSTEM)
    window = buckets.window(services.db, subject_kind="market", subject_id="all", since=T0, until=T0 + DAY_MS)
    assert (window.n_stories, window.negative_share) == (2, None)
    engine.failure = None
    assert classify_posts.classify_pending(services) == 2
    assert classify_posts.classify_pending(services) == 0
    window = buckets.window(services.db, subject_kind="market", subject_id="all", since=T0, until=T0 + DAY_MS)
    assert window.negative_share == 0.5
    check(services)


def test_a_corrected_sentiment_moves_the_series_and_back(services: Services, people: Desk, feed_id: int) -> None:
    (result,) = ingest_posts.receive(services, feed_id, [post(1, "Northwharf falls")], viewer=SYSTEM)
    assert result.id is not None
    towards = [one for one in mentions.predictions_of_post(services.db, result.id) if one.subject_kind == "mention"]
    analyst = replace(people.analyst, feed_ids=frozenset({feed_id}))
    correct_prediction.correct(services, viewer=analyst, label="positive", prediction_id=towards[0].id)
    check(services)
    entity = buckets.window(services.db, subject_kind="entity", subject_id="1", since=T0, until=T0 + DAY_MS)
    assert (entity.n_negative, entity.n_positive) == (0, 1)
    event = event_log.of(services.db, "post", result.id)[-1]
    changes.undo(services, event.id, viewer=analyst)
    check(services)
    entity = buckets.window(services.db, subject_kind="entity", subject_id="1", since=T0, until=T0 + DAY_MS)
    assert (entity.n_negative, entity.n_positive) == (1, 0)


def test_a_feed_of_another_team_is_out_of_sight(services: Services, people: Desk, feed_id: int) -> None:
    team = changes.add(services.db, TEAM, {"name": "Other analysts"}, viewer=SYSTEM).row
    changes.change(services.db, FEED, feed_id, {"team_id": team.id}, viewer=people.admin)
    ingest_posts.receive(services, feed_id, [post(1, "Northwharf falls")], viewer=SYSTEM)
    blind = replace(people.analyst, feed_ids=frozenset())
    assert rows.page(services.db, PostFilter(), viewer=blind).items == ()
    with pytest.raises(NotFound):
        ingest_posts.receive(services, feed_id, [post(2, "Northwharf rises")], viewer=blind)


def test_a_filter_finds_words_companies_and_times(services: Services, feed_id: int) -> None:
    drafts = [post(1, "Northwharf falls", at=T0), post(2, "Brantwing rises", at=T0 + DAY_MS)]
    ingest_posts.receive(services, feed_id, drafts, viewer=SYSTEM)

    def titles(chosen: PostFilter) -> list[str]:
        return [one.title for one in rows.page(services.db, chosen, viewer=SYSTEM).items]

    assert titles(PostFilter()) == ["Brantwing rises", "Northwharf falls"]
    assert titles(PostFilter(query="north")) == ["Northwharf falls"]
    assert titles(PostFilter(entity_id=2)) == ["Brantwing rises"]
    assert titles(PostFilter(until=T0 + 1)) == ["Northwharf falls"]
    assert titles(PostFilter(sentiment="positive", topic="earnings")) == ["Brantwing rises"]


TABLES = {
    "story": "SELECT * FROM story ORDER BY id",
    "post": "SELECT * FROM post ORDER BY id",
    "mention": "SELECT * FROM mention ORDER BY id",
    "prediction": "SELECT * FROM prediction ORDER BY id",
    "bucket": "SELECT * FROM bucket ORDER BY subject_kind, subject_id, at",
}


def kept(
    services: Services, drafts: Sequence[PostDraft], *, slug: str, at_once: int
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that a feed of its own has after these posts, which come so many at a time, in a new database."""
    db = open_database(services.db.path.with_name(f"{slug}.sqlite"))
    own = Services(db=db, engine=services.engine, policy=services.policy)
    changes.add(
        own.db, ENTITY, {"ticker": "NWHL", "name": "Northwharf Logistics", "aliases": ("Northwharf",)}, viewer=SYSTEM
    )
    changes.add(
        own.db, ENTITY, {"ticker": "BRWG", "name": "Brantwing Couriers", "aliases": ("Brantwing",)}, viewer=SYSTEM
    )
    feed = changes.add(own.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM).row
    for start in range(0, len(drafts), at_once):
        ingest_posts.receive(own, feed.id, drafts[start : start + at_once], viewer=SYSTEM)
    check(own)
    found = {table: [tuple(row) for row in db.rows(sql)] for table, sql in TABLES.items()}
    assert {row[0] for row in db.rows("SELECT rowid FROM post_search WHERE post_search MATCH 'strike'")} == {
        row["id"] for row in db.rows("SELECT id FROM post WHERE text LIKE '%strike%'")
    }
    db.connection.execute("INSERT INTO post_search (post_search, rank) VALUES ('integrity-check', 1)")
    db.close()
    return found


def test_posts_that_come_together_are_stored_as_if_they_came_one_by_one(services: Services) -> None:
    names = ("Northwharf", "Brantwing", "Northwharf and Brantwing")
    says = ("falls after strike in {} ports", "beats forecasts on {} parcels", "opens depot number {} — früh")
    drafts = [
        post(
            number,
            f"{names[number % 3]} {says[number % 2].format(number // 9)}",
            at=T0 + number % 7 * HOUR_MS,
        )
        for number in range(150)
    ]
    drafts += [replace(drafts[at], title=says[2].format(at)) for at in (3, 70, 71)]
    drafts += [post(200 + at, says[2].format(at), at=T0) for at in range(5)]
    with clock.frozen(T0 + DAY_MS):
        together = kept(services, drafts, slug="together", at_once=len(drafts))
        assert together == kept(services, drafts, slug="alone", at_once=1)
    assert min(len(found) for found in together.values()) > 20
