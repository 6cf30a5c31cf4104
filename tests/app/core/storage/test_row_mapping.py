"""What is written comes back: predictions, events, macros, articles, idempotency keys, notifications."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.answers.domain import MacroAction, Passage
from app.answers.store import articles, macros
from app.core.db import Database, open_database
from app.core.errors import InputError, NotFound
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import SYSTEM, Viewer
from app.core.prediction import Prediction, Scored
from app.core.storage import blobs, idempotency_keys
from app.core.storage.idempotency_keys import KeptAnswer
from app.desk.domain.ticket import AttachmentDraft
from app.desk.store import attachments
from app.market.domain.series import Bucket
from app.market.store import buckets
from app.model.store import predictions
from app.notify.store import notifications


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    database = open_database(tmp_path / "desk.sqlite")
    yield database
    database.close()


def test_a_prediction_comes_back_whole(db: Database) -> None:
    top = (Scored(label="anger", probability=0.75), Scored(label="joy", probability=0.25))
    given = Prediction(
        task="emotion",
        role="emotion",
        model="m@1.0",
        label="anger",
        probability=0.75,
        top=top,
        labels=("anger",),
        abstained=True,
        band="medium",
        band_precision=0.9,
    )
    shadow = replace(given, is_shadow=True, label="joy")
    with db.transaction() as tx:
        predictions.insert_all(tx, subject_kind="message", subject_id=3, predictions=[given, shadow], at=7)
    one, two = predictions.of_messages(db, [3, 4])
    assert (one.prediction, two.prediction) == (given, shadow)
    latest = predictions.latest(db, subject_kind="message", subject_id=3, task="emotion")
    assert latest == one


def _about(top: tuple[Scored, ...]) -> Prediction:
    return Prediction(task="t", role="intent", model="m@1", label="fees", probability=0.123457, top=top)


TOPS = (
    (("lost_card", 0.9), ("fees", 0.0623), ("top_up", 0.0001)),
    (("negative", 1.0), ("neutral", 0.0), ("positive", 0.0)),
    (("fine", 0.3333),),
    (),
)


@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("most", [65_535, 0])
def test_the_best_labels_come_back_whatever_their_numbers(
    db: Database, monkeypatch: pytest.MonkeyPatch, top: tuple[tuple[str, float], ...], most: int
) -> None:
    monkeypatch.setattr(predictions, "MOST", most)
    given = _about(tuple(Scored(label=label, probability=chance) for label, chance in top))
    with db.transaction() as tx:
        predictions.insert_all(tx, subject_kind="message", subject_id=3, predictions=[given], at=7)
    assert [stored.prediction for stored in predictions.of_messages(db, [3])] == [given]
    is_json = isinstance(db.value("SELECT top FROM prediction"), str)
    assert is_json == (bool(top) and most == 0)


def test_what_repeats_is_kept_once(db: Database) -> None:
    top = tuple(Scored(label=label, probability=chance) for label, chance in (("fees", 0.7), ("new_label", 0.3)))
    event = Event(actor_kind="agent", actor_id="1", verb="noted", noun="ticket", noun_id=1, after={"n": 1}, at=9)
    for subject_id in (1, 2, 3):
        with db.transaction() as tx:
            predictions.insert_all(tx, subject_kind="message", subject_id=subject_id, predictions=[_about(top)], at=1)
            event_log.record_all(tx, [event, event])
    assert db.value("SELECT count(*) FROM verdict WHERE task = 't'") == 1
    assert db.value("SELECT count(*) FROM deed WHERE verb = 'noted'") == 1
    assert db.value("SELECT count(*) FROM label WHERE name = 'new_label'") == 1
    assert [stored.prediction for stored in predictions.of_messages(db, [1, 2, 3])] == [_about(top)] * 3
    assert [(one.verb, one.after) for one in event_log.of(db, "ticket", 1)] == [("noted", {"n": 1})] * 6


CHANGES: tuple[tuple[str, str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("ticket", "system", "created", {}, {"queue_id": 1, "channel": "email"}),
    ("ticket", "rule", "routed", {"queue_id": 1}, {"queue_id": 2, "reason": "rule"}),
    ("ticket", "agent", "updated", {"subject": "A"}, {"subject": "C", "body": "D", "tags": ["x", None]}),
    ("ticket", "agent", "resolved", {"status": "open", "深": {"a": [1.5, True]}}, {"status": "solved"}),
    ("user", "system", "link_made", {}, {}),
)


def test_an_event_comes_back_with_what_it_says(db: Database) -> None:
    given = [
        Event(actor_kind=kind, actor_id="1", verb=verb, noun=noun, noun_id=1, before=before, after=after, at=8)
        for noun, kind, verb, before, after in CHANGES
    ]
    with db.transaction() as tx:
        ids = event_log.record_all(tx, given)
        inverse = event_log.record_all(tx, [replace(given[3], verb="status_set", before={}, after={}, undoes=ids[3])])[
            0
        ]
    assert list(event_log.after(db, 0)[:-1]) == [replace(one, id=at) for one, at in zip(given, ids, strict=True)]
    assert [event_log.undone_by(db, one) for one in (ids[3], ids[2])] == [inverse, None]
    with pytest.raises(sqlite3.IntegrityError), db.transaction() as tx:
        event_log.record_all(tx, [replace(given[3], undoes=ids[3])])[0]


@pytest.mark.parametrize(("get", "noun"), [(event_log.get, "event"), (predictions.get, "prediction")])
def test_what_is_not_there_is_said_by_its_noun(db: Database, get: Callable[[Database, int], object], noun: str) -> None:
    with pytest.raises(NotFound) as raised:
        get(db, 1000)
    assert raised.value.params == {"noun": noun, "id": 1000}


def test_events_are_read_by_thing_and_by_time(db: Database) -> None:
    def event(noun: str, number: int) -> Event:
        return Event(actor_kind="system", actor_id="x", verb="did", noun=noun, noun_id=number, after={"n": 1}, at=5)

    with db.transaction() as tx:
        ids = [event_log.record_all(tx, [event(noun, 1)])[0] for noun in ("ticket", "alert", "user", "ticket")]
    assert [one.id for one in event_log.of(db, "ticket", 1)] == [ids[0], ids[3]]
    assert [one.id for one in event_log.after(db, ids[0])] == ids[1:]
    analyst = Viewer(user_id=1, name="", role="analyst", permissions=frozenset({"alerts:read"}))
    assert [one.noun for one in event_log.after(db, 0, viewer=analyst)] == ["alert"]
    blind = Viewer(user_id=1, name="", role="agent", permissions=frozenset({"tickets:read"}), queue_ids=frozenset({9}))
    assert event_log.after(db, 0, viewer=blind) == ()
    assert event_log.last_id(db) == ids[-1]
    assert [one.noun for one in event_log.page(db, noun="user").items] == ["user"]


def test_an_idempotency_key_is_one_request(db: Database) -> None:
    asked = {"actor": "t1", "key": "k", "fingerprint": "f"}
    answer = KeptAnswer(status=201, headers={"etag": "1"}, body=b"{}")
    assert idempotency_keys.find(db, **asked) is None
    with db.transaction() as tx:
        idempotency_keys.keep(tx, answer, at=10, **asked)
        idempotency_keys.keep(tx, KeptAnswer(status=200), at=11, **asked)
    assert idempotency_keys.find(db, **asked) == answer
    with pytest.raises(InputError, match="idempotency_key_reused"):
        idempotency_keys.find(db, **asked | {"fingerprint": "other"})
    with db.transaction() as tx:
        assert idempotency_keys.expire(tx, before=10) == 0
        assert idempotency_keys.expire(tx, before=11) == 1
    assert idempotency_keys.find(db, **asked | {"fingerprint": "other"}) is None


def test_a_notification_is_queued_once_and_claimed_once(db: Database) -> None:
    with db.transaction() as tx:
        receiver = tx.insert("receiver", {"name": "r", "kind": "webhook", "url": "http://x", "secret": "s"})
        new = [
            notifications.insert(
                tx, receiver_id=receiver, verb="v", noun="n", noun_id=1, dedup_key="k", body={"a": 1}, at=10
            )
            for _ in range(2)
        ]
        assert new == [1, None]
    (due,) = notifications.due(db, now=10, limit=5)
    with db.transaction() as tx:
        assert notifications.claim(tx, due.id, now=10, until=100)
        assert not notifications.claim(tx, due.id, now=10, until=100)
    assert notifications.due(db, now=99, limit=5) == ()
    # Its worker died: after the lease it is due again.
    assert [one.id for one in notifications.due(db, now=100, limit=5)] == [due.id]


def test_macros_and_articles_come_back(db: Database) -> None:
    actions = (MacroAction(type="add_tag", value="x"),)
    with db.transaction() as tx:
        macro_id = tx.insert(
            "macro", {"name": "m", "body": "Hello Ünal", "intents": ("a", "b"), "actions": macros.pairs(actions)}
        )
        article_id = tx.insert("article", {"slug": "s", "title": "Refunds", "body": "Money returns.", "updated_at": 1})
        passages = [Passage(article_id=article_id, ordinal=one, heading="h", text=str(one)) for one in range(2)]
        vectors = np.eye(2, 3, dtype=np.float32)
        articles.put_passages(tx, article_id, passages=passages, vectors=vectors, encoder="e")
    macro = macros.get(db, macro_id)
    assert (macro.intents, macro.actions) == (("a", "b"), actions)
    assert macros.search(db, "hello") == (macro,)
    assert [found for found, _ in articles.search(db, "refunded refund?")] == [article_id]
    assert articles.search(db, "?") == []
    read, matrix = articles.passages(db)
    assert list(read) == passages
    np.testing.assert_array_equal(matrix, vectors)
    assert articles.unread(db, encoder="other") == (article_id,)
    with db.transaction() as tx:
        tx.execute("DELETE FROM article WHERE id = ?", (article_id,))
    assert articles.search(db, "refund") == []
    assert articles.passages(db)[0] == ()


def test_the_same_file_is_kept_once(db: Database) -> None:
    with db.transaction() as tx:
        digest = blobs.put(tx, b"content")
        assert blobs.put(tx, b"content") == digest
    assert blobs.get(db, digest) == b"content"
    with db.transaction() as tx:
        blobs.drop(tx, digest)
    with pytest.raises(NotFound):
        blobs.get(db, digest)
    with pytest.raises(NotFound):
        attachments.content(db, 1, viewer=SYSTEM)
    assert AttachmentDraft(name="a", media_type="b", content=b"").is_left_out is False


def test_buckets_add_up_and_vanish(db: Database) -> None:
    one = Bucket(subject_kind="topic", subject_id="macro", at=0, n_posts=2, n_stories=1, n_negative=1, score_sum=-0.5)
    with db.transaction() as tx:
        buckets.add(tx, [one, one])
    (kept,) = buckets.every(db)
    assert (kept.n_posts, kept.score_sum) == (4, -1.0)
    window = buckets.windows(db, subject_kind="topic", since=0, until=1)["macro"]
    assert window == buckets.window(db, subject_kind="topic", subject_id="macro", since=0, until=1)
    counted = buckets.counts(db, subject_kind="topic", since=0, until=1)
    assert counted == {"macro": replace(window, score_sum=0.0)}
    assert buckets.counts(db, subject_kind="topic", since=1, until=2) == {}
    with db.transaction() as tx:
        buckets.add(tx, [replace(one, n_posts=-4, n_stories=-2, n_negative=-2, score_sum=1.0)])
    assert buckets.every(db) == ()
