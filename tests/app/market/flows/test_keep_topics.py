"""The analysts' own topics: found in new posts and in the last four weeks, and counted like the model's."""

from __future__ import annotations

import pytest

from app.alerts.flows import notify_alerts, tick_rules
from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alerts as alert_rows
from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, InputError, NotReady, Stale
from app.core.jobs import job_queue
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import PostDraft, PostFilter
from app.market.flows import classify_posts, count_posts, ingest_posts, keep_topics, show_market
from app.market.flows.keep_feeds import FEED
from app.market.flows.keep_topics import OWN_TOPIC
from app.market.store import buckets
from app.market.store import posts as post_rows
from app.market.store import topics as rows
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine

T0 = 1_780_000_000_000 - 1_780_000_000_000 % DAY_MS


def _tell(services: Services, *titles: str, at: int = T0) -> None:
    drafts = [PostDraft(external_id=f"{at}-{title}", title=title, occurred_at=at) for title in titles]
    with clock.frozen(at + 1):
        ingest_posts.receive(services, 1, drafts, viewer=SYSTEM)


def _series(services: Services, subject: str) -> tuple[int, int, int]:
    found = buckets.window(services.db, subject_kind="topic", subject_id=subject, since=0, until=1 << 62)
    return found.n_posts, found.n_stories, found.n_negative


def _agrees(services: Services) -> bool:
    return buckets.every(services.db) == count_posts.count_anew(services.db)


@pytest.fixture
def wire(services: Services, people: Desk) -> Services:
    """A feed."""
    changes.add(services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
    return services


def test_new_posts_have_the_topic_at_once_and_it_is_counted(wire: Services) -> None:
    topic = keep_topics.add_topic(wire, {"title": "Strikes", "words": ["strike", "walkout"]}, viewer=SYSTEM).row
    _tell(wire, "Pilots strike after a fraud at the tower", "Walkout ends at the mill", "A quiet day")
    assert _series(wire, topic.subject_id) == (2, 2, 1)
    assert _agrees(wire)
    page = post_rows.page(wire.db, PostFilter(topic=topic.subject_id), viewer=SYSTEM)
    assert {post.title for post in page.items} == {
        "Pilots strike after a fraud at the tower",
        "Walkout ends at the mill",
    }
    assert post_rows.last_at(wire.db, subject_kind="topic", subject_id=topic.subject_id) == T0


EXAMPLES = ["pilots walk out over pay", "staff walk out over pay", "drivers walk out over hours"]


def test_a_topic_by_example_has_new_posts_and_those_that_were_there_and_no_others(wire: Services) -> None:
    _tell(wire, "Nurses walk out over pay", "Rain over the hills", at=T0 - 2 * DAY_MS)
    topic = keep_topics.add_topic(
        wire, {"title": "Walkouts", "examples": EXAMPLES, "without": ["film"]}, viewer=SYSTEM
    ).row
    assert topic.likeness is not None
    assert 0 < topic.likeness.least <= 1
    with clock.frozen(T0):
        job_queue.run_due(wire, limit=5)
    assert _series(wire, topic.subject_id)[0] == 1
    _tell(wire, "Miners walk out over pay", "A film: staff walk out over pay", "Snow in the hills")
    assert _series(wire, topic.subject_id)[0] == 2
    assert _agrees(wire)


def test_a_text_that_changes_loses_what_it_no_longer_means(wire: Services) -> None:
    topic = keep_topics.add_topic(wire, {"title": "Walkouts", "examples": EXAMPLES}, viewer=SYSTEM).row
    for title, n in (("Miners walk out over pay", 1), ("Snow in the hills", 0)):
        with clock.frozen(T0 + 5):
            ingest_posts.receive(wire, 1, [PostDraft(external_id="x", title=title, occurred_at=T0)], viewer=SYSTEM)
        assert _series(wire, topic.subject_id)[0] == n
        assert _agrees(wire)


def test_what_waits_for_the_model_is_compared_when_it_is_read(wire: Services, engine: FakeEngine) -> None:
    topic = keep_topics.add_topic(wire, {"title": "Walkouts", "examples": EXAMPLES}, viewer=SYSTEM).row
    engine.failure = NotReady()
    _tell(wire, "Miners walk out over pay")
    engine.failure = None
    assert _series(wire, topic.subject_id)[0] == 0
    with clock.frozen(T0 + HOUR_MS):
        assert classify_posts.classify_pending(wire) == 1
    assert _series(wire, topic.subject_id)[0] == 1
    assert _agrees(wire)


def test_other_examples_are_learned_and_counted_anew(wire: Services) -> None:
    topic = keep_topics.add_topic(wire, {"title": "Walkouts", "examples": EXAMPLES}, viewer=SYSTEM).row
    _tell(wire, "Miners walk out over pay", "Snow falls in the hills")
    changed = keep_topics.change_topic(
        wire, topic.id, {"examples": ["snow in the hills", "snow falls", "hills under snow"]}, viewer=SYSTEM
    ).row
    assert changed.likeness != topic.likeness
    with clock.frozen(T0 + HOUR_MS):
        job_queue.run_due(wire, limit=5)
    page = post_rows.page(wire.db, PostFilter(topic=topic.subject_id), viewer=SYSTEM)
    assert [post.title for post in page.items] == ["Snow falls in the hills"]
    with pytest.raises(InputError):
        keep_topics.change_topic(wire, topic.id, {"examples": []}, viewer=SYSTEM)


def test_an_undo_brings_examples_back_and_the_job_learns_them_again(wire: Services) -> None:
    topic = keep_topics.add_topic(wire, {"title": "Walkouts", "examples": EXAMPLES}, viewer=SYSTEM).row
    others = {"examples": ["snow in the hills", "snow falls", "hills under snow"]}
    made = keep_topics.change_topic(wire, topic.id, others, viewer=SYSTEM)
    assert made.event is not None
    changes.undo(wire, made.event.id, viewer=SYSTEM)
    back = rows.get(wire.db, topic.id)
    assert (back.examples, back.likeness) == (topic.examples, None)
    with clock.frozen(T0):
        job_queue.run_due(wire, limit=5)
    assert rows.get(wire.db, topic.id).likeness == topic.likeness


def test_the_last_four_weeks_are_counted_by_a_job_and_older_posts_are_not(wire: Services) -> None:
    _tell(wire, "Pilots strike in spring", at=T0 - 40 * DAY_MS)
    _tell(wire, "Welders strike at the yard", at=T0 - 3 * DAY_MS)
    with clock.frozen(T0):
        topic = keep_topics.add_topic(wire, {"title": "Strikes", "words": ["strike"]}, viewer=SYSTEM).row
        assert _series(wire, topic.subject_id) == (0, 0, 0)
        assert job_queue.run_due(wire, limit=5) == 1
        assert _series(wire, topic.subject_id)[:2] == (1, 1)
        job_queue.enqueue(wire, kind="count_topic", viewer=SYSTEM, params={"topic_id": topic.id})
        job_queue.run_due(wire, limit=5)
    assert _series(wire, topic.subject_id)[:2] == (1, 1)
    assert _agrees(wire)


def test_other_words_are_counted_anew_and_a_post_that_is_rewritten_too(wire: Services) -> None:
    with clock.frozen(T0):
        topic = keep_topics.add_topic(wire, {"title": "Strikes", "words": ["strike"]}, viewer=SYSTEM).row
        _tell(wire, "Welders strike at the yard", "Lockout at the mill")
        changed = keep_topics.change_topic(wire, topic.id, {"words": ["lockout"]}, viewer=SYSTEM, version=1).row
        assert changed.version == 2
        job_queue.run_due(wire, limit=5)
        page = post_rows.page(wire.db, PostFilter(topic=topic.subject_id), viewer=SYSTEM)
        assert [post.title for post in page.items] == ["Lockout at the mill"]
        again = PostDraft(external_id=f"{T0}-Lockout at the mill", title="Peace at the mill", occurred_at=T0)
        ingest_posts.receive(wire, 1, [again], viewer=SYSTEM)
        with pytest.raises(Stale):
            keep_topics.change_topic(wire, topic.id, {"title": "x"}, viewer=SYSTEM, version=1)
    assert _series(wire, topic.subject_id) == (0, 0, 0)
    assert _agrees(wire)


def test_a_topic_that_is_given_up_takes_its_counts_along_and_keeps_its_name_for_old_alerts(wire: Services) -> None:
    with clock.frozen(T0):
        topic = keep_topics.add_topic(wire, {"title": "Strikes", "words": ["strike"]}, viewer=SYSTEM).row
        _tell(wire, "Welders strike at the yard")
        rule = changes.add(
            wire.db, RULE, {"name": "W", "subject_kind": "topic", "subject_id": topic.subject_id}, viewer=SYSTEM
        ).row
        with pytest.raises(Conflict, match="topic_watched"):
            changes.remove(wire.db, OWN_TOPIC, topic.id, viewer=SYSTEM)
        changes.remove(wire.db, RULE, rule.id, viewer=SYSTEM)
        changes.remove(wire.db, OWN_TOPIC, topic.id, viewer=SYSTEM)
        job_queue.run_due(wire, limit=5)
        keep_topics.add_topic(wire, {"title": "strikes", "words": ["walkout"]}, viewer=SYSTEM)
    assert _series(wire, topic.subject_id) == (0, 0, 0)
    assert _agrees(wire)
    assert show_market.subject_title(wire, "topic", topic.subject_id) == "Strikes"
    assert [one.title for one in rows.every(wire.db)] == ["strikes"]


def test_a_rule_fires_on_an_own_topic_with_its_stories(wire: Services) -> None:
    with clock.frozen(T0 + HOUR_MS):
        topic = keep_topics.add_topic(wire, {"title": "Strikes", "words": ["strike"]}, viewer=SYSTEM).row
        changes.add(
            wire.db, RULE, {"name": "W", "subject_kind": "topic", "subject_id": topic.subject_id}, viewer=SYSTEM
        )
        places = ("amber yard", "brass mill", "cedar port", "delta pier", "ember quay", "fjord dock", "grain silo")
        _tell(wire, *(f"Fraud behind the strike at {place} {place[::-1]}" for place in (*places, "harbour wall")))
        tick_rules.tick(wire)
        (alert,) = alert_rows.open_ones(wire.db)
        assert (alert.state, alert.subject_id) == ("firing", topic.subject_id)
        stories = notify_alerts.stories_behind(wire.db, alert, viewer=SYSTEM, limit=20)
    assert len(stories) == 8


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"title": " ", "words": ["strike"]}, "empty_field"),
        ({"title": "x", "words": []}, "topic_without_words"),
        ({"title": "x", "words": ["a"]}, "bad_word"),
        ({"title": "x", "examples": ["one", "two"]}, "too_few_examples"),
        ({"title": "x", "examples": [str(n) for n in range(99)]}, "too_many_examples"),
        ({"title": "x", "examples": ["a", "b", "c" * 9000]}, "too_long"),
        ({"title": "x", "words": ["strike"], "reach": 80}, "bad_reach"),
        ({"title": "x", "words": ["***"]}, "bad_word"),
        ({"title": "x", "words": ["strike"], "without": ["y" * 100]}, "bad_word"),
        ({"title": "x" * 61, "words": ["strike"]}, "too_long"),
        ({"title": "x", "words": [f"word{n}" for n in range(101)]}, "too_many_words"),
    ],
)
def test_what_makes_no_topic_is_refused(wire: Services, values: dict[str, object], code: str) -> None:
    with pytest.raises(InputError, match=code):
        keep_topics.add_topic(wire, values, viewer=SYSTEM)


def test_two_topics_of_one_name_are_refused(wire: Services) -> None:
    keep_topics.add_topic(wire, {"title": "Strikes", "words": ["strike"]}, viewer=SYSTEM)
    with pytest.raises(Conflict, match="name_taken"):
        keep_topics.add_topic(wire, {"title": "STRIKES", "words": ["strike"]}, viewer=SYSTEM)
